package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/api"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/spectest"
	"latchkey/internal/web"
)

func describedAPI(t *testing.T) *spectest.Spec {
	t.Helper()
	spec, err := spectest.New(api.Description())
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// isDescribed reports whether a route is of the kind that the description
// tells of: what a backend, a probe or a reader calls. The pages that a person
// walks through are not, nor are files.
func isDescribed(route web.Route) bool {
	_, path, _ := strings.Cut(route.Pattern, " ")
	switch route.Kind {
	case web.KindAPI:
		return true
	case web.KindBrowser:
		return strings.HasPrefix(path, "/docs/")
	case web.KindPublic:
		return !strings.HasPrefix(path, "/static/") && !strings.HasPrefix(path, "/embed")
	}
	return false
}

// The description and the router hold the same routes: each is compared with
// the other. GET serves HEAD too, so HEAD may be described without a row.
func TestTheRoutesAreThoseOfTheDescription(t *testing.T) {
	spec := describedAPI(t)
	described := spec.Routes()
	served := map[string]web.Route{}
	for _, route := range latchtest.Start(t, latchtest.Options{Idle: true}).App.Routes() {
		if isDescribed(route) {
			served[route.Pattern] = route
		}
	}
	missing := 0
	for _, pattern := range described {
		row, ok := served[pattern]
		if path, isHead := strings.CutPrefix(pattern, "HEAD "); isHead && !ok {
			row, ok = served["GET "+path]
		}
		if !ok {
			missing++
			t.Errorf("%s is described and not served", pattern)
			continue
		}
		if scope := spec.Scope(pattern); scope != string(row.Scope) {
			t.Errorf("%s is described with the scope %q and has %q", pattern, scope, row.Scope)
		}
	}
	for pattern := range served {
		if !slices.Contains(described, pattern) {
			missing++
			t.Errorf("%s is served and not described", pattern)
		}
	}
	fmt.Printf("RESULT spec.routes-apart %d 0\n", missing)
}
