package proxy

import (
	"net/http"
	"strings"

	"latchkey"
)

// checkShape refuses what is never passed on: a change of the protocol, which
// would leave the place where answers are cleaned, and a header whose name
// servers between here and the provider may read as that of another. The
// connection that such a header came by is closed: it may be somebody's who
// tries how we and a proxy before us read the same bytes differently.
func checkShape(w http.ResponseWriter, r *http.Request) error {
	if len(r.Header.Values("Upgrade")) != 0 {
		return latchkey.InvalidField("Upgrade", "is not passed on: no provider is called but by plain requests")
	}
	for name := range r.Header {
		if strings.Contains(name, "_") {
			w.Header().Set("Connection", "close")
			return latchkey.InvalidField("header", "names may not contain an underscore")
		}
	}
	return nil
}
