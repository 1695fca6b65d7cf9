package hosted_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// directive returns one directive of a Content-Security-Policy.
func directive(answer latchtest.Answer, name string) string {
	for part := range strings.SplitSeq(answer.Header.Get("Content-Security-Policy"), ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(part), name+" "); ok {
			return value
		}
	}
	return ""
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	for _, step := range steps {
		p := begin(s, step)
		before := p.stored()
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
			{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site", "Origin", s.URL},
		} {
			form := p.Form(map[bool]string{true: "deny", false: "cancel"}[step == latchkey.StateAuthorization])
			headers := append([]string{"apikey", "", "Content-Type", "application/x-www-form-urlencoded"}, header...)
			answer := s.Call("POST", p.path(), form.Encode(), headers...)
			if answer.Status != http.StatusForbidden || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%v: status %d", header, answer.Status)
			}
		}
		if diff := cmp.Diff(before, p.stored()); diff != "" {
			t.Errorf("at %s the session changed:\n%s", step, diff)
		}
	}
}

func TestWhoMayFrameAPage(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	s.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.AllowedOrigins = nil })
	for app, want := range map[latchkey.AppType]string{
		latchkey.AppRedirect: "'self'", latchkey.AppEmbed: "'self' http://localhost:3000 " + s.URL,
	} {
		t.Run("of an app of type "+string(app), func(t *testing.T) {
			link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[app], "provider": latchtest.ProviderID})
			visit := s.Visit(link.URL)
			for range 3 {
				if got := directive(visit.Answer, "frame-ancestors"); got != want {
					t.Errorf("%q may frame it, want %q", got, want)
				}
				if got := directive(visit.Answer, "form-action"); got != "'self' http://127.0.0.1" {
					t.Errorf("its form leads to %q", got)
				}
				if got := directive(visit.Answer, "default-src"); got != "'none'" {
					t.Errorf("it may load from %q", got)
				}
				if visit.Answer.Header.Get("X-Frame-Options") != "" {
					t.Error("X-Frame-Options contradicts the policy")
				}
				if visit.Page.Find(`button[value="approve"]`).Length() == 1 {
					visit.Submit("approve")
				} else {
					visit.Submit("continue")
				}
			}
		})
	}
}

func TestThePagesOwnQueryGoesFromStepToStep(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppEmbed], "provider": latchtest.ProviderID})
	for name, try := range map[string][2]string{
		"theme and embedding are kept": {
			"?theme=dark&embed=true&embed_origin=http%3A%2F%2Flocalhost%3A3000",
			"?embed=true&embed_origin=http%3A%2F%2Flocalhost%3A3000&theme=dark",
		},
		"nothing else is": {"?theme=pink&embed=maybe&embed_origin=https%3A%2F%2Fevil.example&looked=true&next=//evil.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			page := "/" + link.Secret()
			answer := s.Call("GET", page+try[0], nil, "apikey", "")
			if want := `action="` + strings.ReplaceAll(page+try[1], "&", "&amp;") + `"`; !strings.Contains(string(answer.Body), want) {
				t.Errorf("the form does not post to %s", want)
			}
			answer = s.Call("POST", page+try[0], "version=0", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
			if got := answer.Header.Get("Location"); got != page+try[1] {
				t.Errorf("it goes on at %q", got)
			}
		})
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	visit := s.Visit(s.Init(map[string]any{"provider": "sandbox"}).URL)
	style, _ := visit.Page.Find(`link[rel="stylesheet"]`).Attr("href")
	icon, _ := visit.Page.Find(`link[rel="icon"]`).Attr("href")
	icons, _ := visit.Page.Find("use").First().Attr("href")
	icons, _, _ = strings.Cut(icons, "#")
	for path, want := range map[string]string{
		style: "text/css; charset=utf-8", icon: "image/svg+xml", icons: "image/svg+xml",
	} {
		answer := s.Want(http.StatusOK, "GET", path, nil, "apikey", "")
		got := []string{
			answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"), answer.Header.Get("X-Content-Type-Options"),
		}
		if diff := cmp.Diff([]string{want, "public, max-age=31536000, immutable", "nosniff"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	folder := strings.TrimSuffix(style, "link.css")
	for _, path := range []string{folder, folder + "nothing.css", folder + "%2e", folder + "..%2fdoor.go", "/static/000000000000/link.css"} {
		answer := s.Call("GET", path, nil, "apikey", "")
		if answer.Status == http.StatusOK || strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, %s", path, answer.Status, answer.Header.Get("Cache-Control"))
		}
	}
}

func TestAProvidersLogoIsServed(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	visit := s.Visit(s.Init(map[string]any{"provider": "sandbox"}).URL)
	logo, shown := visit.Page.Find(".tile img").Attr("src")
	if !shown {
		t.Fatal("the page shows no logo")
	}
	answer := s.Want(http.StatusOK, "GET", logo, nil, "apikey", "")
	if answer.Header.Get("Content-Type") != "image/svg+xml" || directive(answer, "default-src") != "'none'" {
		t.Errorf("its headers: %v", answer.Header)
	}
	for _, path := range []string{"/static/providers/" + latchtest.ProviderID + ".svg", "/static/providers/nobody.svg", "/static/providers/sandbox"} {
		s.Want(http.StatusNotFound, "GET", path, nil, "apikey", "")
	}
	visit = s.Visit(s.Init(map[string]any{"provider": latchtest.ProviderID}).URL)
	if visit.Page.Find(".tile img").Length() != 0 {
		t.Error("a provider without a logo has one")
	}
}
