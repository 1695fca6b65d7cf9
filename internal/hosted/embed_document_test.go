package hosted

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// What people copy out of the document must be what this build serves.
func TestTheDocumentNamesTheEmbedScript(t *testing.T) {
	document, err := os.ReadFile("../../docs/embed.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{EmbedPath() + `"`, `integrity="` + EmbedIntegrity() + `"`} {
		if !strings.Contains(string(document), want) {
			t.Errorf("docs/embed.md does not say %s", want)
		}
	}
	if strings.Count(string(document), "sha384-") != 1 {
		t.Error("docs/embed.md names another hash too")
	}
}

func TestTheEmbedScriptIsServed(t *testing.T) {
	for name, test := range map[string]struct {
		path, encoding, tag string
		status              int
		cache               string
	}{
		"the newest":         {"/embed.js", "", "", http.StatusOK, "public, max-age=300"},
		"the newest, again":  {"/embed.js", "", packed()[embedName].tag, http.StatusNotModified, "public, max-age=300"},
		"this one for ever":  {EmbedPath(), "", "", http.StatusOK, immutable},
		"this one, smaller":  {EmbedPath(), "br, gzip", "", http.StatusOK, immutable},
		"one of another day": {"/embed/000000000000000000000000.js", "", "", http.StatusNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, test.path, nil)
			request.Header.Set("Accept-Encoding", test.encoding)
			request.Header.Set("If-None-Match", test.tag)
			answer := httptest.NewRecorder()
			serveEmbed(answer, request)
			if answer.Code != test.status {
				t.Fatalf("status %d, want %d", answer.Code, test.status)
			}
			if test.status == http.StatusNotFound {
				return
			}
			header := answer.Header()
			for name, want := range map[string]string{"Cache-Control": test.cache, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"} {
				if header.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, header.Get(name), want)
				}
			}
			if zipped := header.Get("Content-Encoding") == "gzip"; zipped != strings.Contains(test.encoding, "gzip") {
				t.Errorf("compressed: %v", zipped)
			}
		})
	}
}

func TestTheEmbedScriptIsSmallAndNamesItsReceiver(t *testing.T) {
	script := packed()[embedName]
	const limit = 6000
	fmt.Printf("RESULT B-2.bytes %d %d\n", len(script.zipped), limit)
	if len(script.zipped) >= limit {
		t.Errorf("it is %d bytes compressed, limit %d", len(script.zipped), limit)
	}
	for _, name := range []string{embedName, "page.js"} {
		for _, quote := range []string{`'`, `"`, "`"} {
			if strings.Contains(string(packed()[name].plain), quote+"*"+quote) {
				t.Errorf("%s may post to anybody", name)
			}
		}
	}
}
