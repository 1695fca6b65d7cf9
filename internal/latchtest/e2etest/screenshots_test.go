package e2etest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// folder is where the pictures are kept; "" takes only those of a small phone
// and keeps none.
var folder = flag.String("screenshots", "", "folder to keep pictures of every hosted page in")

// heaviest is the most a picture may weigh, in bytes.
const heaviest = 150_000

// TestScreenshots takes a picture of every page of the running app. Looking
// changes nothing, so a person without JavaScript goes to the step and the
// browser looks at the address.
func TestScreenshots(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true, Connectors: []connector.Connector{elsewhere{}}})
	pages := livingPages(s)
	address, release := trying(s)
	defer release()
	pages["trying"] = address
	tab := shottest.Open(t).Visit(t, pages["login"], shottest.View{Width: 320, Height: 640, Still: true})
	for name, address := range pages {
		tab.Go(address)
		takePictures(t, tab, name)
	}
	s.Clock.Move(time.Hour)
	tab.Go(pages["login"])
	takePictures(t, tab, "expired")
}

// takePictures looks at the loaded page in every size and theme.
func takePictures(t *testing.T, tab *shottest.Tab, name string) {
	for _, size := range [][2]int{{320, 640}, {768, 1024}, {1280, 800}} {
		for _, theme := range []string{"light", "dark"} {
			label := fmt.Sprintf("%s-%d-%s.png", name, size[0], theme)
			tab.Look(shottest.View{Width: size[0], Height: size[1], Dark: theme == "dark", Still: true})
			picture := tab.Shot()
			if decoded, err := png.Decode(bytes.NewReader(picture)); err != nil || decoded.Bounds().Dx() != size[0] {
				t.Errorf("%s is no picture of that width: %v", label, err)
			}
			if len(picture) > heaviest {
				t.Errorf("%s weighs %d bytes", label, len(picture))
			}
			if *folder == "" {
				return
			}
			if err := os.WriteFile(filepath.Join(*folder, label), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// livingPages brings one link to each page and returns their addresses.
func livingPages(s *latchtest.Server) map[string]string {
	s.Helper()
	at := func(provider string) *latchtest.Visit {
		return s.Visit(s.Init(map[string]any{"provider": provider}).URL)
	}
	signIn := func(address, password string) *latchtest.Visit {
		return at("sandbox").Consent().Submit("continue", "username", address, "password", password)
	}
	pages := map[string]string{
		"pre-login":           at("sandbox").URL,
		"pre-login-providers": s.Visit(s.Init(map[string]any{}).URL).URL,
		"authorization":       at("sandbox").Submit("continue").URL,
		"login":               at("sandbox").Consent().URL,
		"login-refused":       signIn("jo@creator.sandbox.com", "wrong").URL,
		"login-unavailable":   signIn("jo@down.sandbox.com", "good-password").URL,
		"2fa":                 signIn("jo@phone.sandbox.com", "good-password").URL,
		"2fa-refused":         signIn("jo@creator-otp.sandbox.com", "good-password").Submit("continue", "code", "000000").URL,
		"2fa-methods":         signIn("jo@phone-otp.sandbox.com", "good-password").URL,
		"wait":                signIn("jo@push.sandbox.com", "good-password").URL,
		"wait-looked":         signIn("jo@push.sandbox.com", "good-password").Submit("poll").URL,
		"redirect":            at("elsewhere").Consent().URL,
		"error":               signIn("jo@locked.sandbox.com", "good-password").URL,
		"gone":                s.URL + "/cs_unknown",
		"confirming":          confirming(s),
		"done":                done(s),
	}
	if strings.Contains(pages["wait"], "looked") {
		s.Error("the first page of a wait says that somebody looked")
	}
	return pages
}

// trying is the page of a link whose password is being tried until the
// returned function is called.
func trying(s *latchtest.Server) (address string, release func()) {
	s.Helper()
	visit := s.Visit(s.Init(map[string]any{"provider": latchtest.ProviderID}).URL).Consent()
	form := visit.Form("continue", "username", "ada", "password", latchtest.Password)
	address = visit.URL
	letGo, ended := s.Provider.Hold(), make(chan struct{})
	go func() {
		defer close(ended)
		visit.Post(form)
	}()
	latchtest.Eventually(s.TB, "the password is tried", func() bool { return s.Provider.Logins() == 1 })
	return address, func() {
		letGo()
		<-ended
	}
}

// done is the page of a link that is made and has nowhere to go back to.
func done(s *latchtest.Server) string {
	s.Helper()
	id := s.Trial.ClientApps[latchkey.AppEmbed]
	s.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+id, `{"redirectUris":[]}`)
	visit := s.Visit(s.Init(map[string]any{"clientAppId": id, "provider": "sandbox"}).URL).Consent()
	return visit.Submit("continue", "username", "jo@creator.sandbox.com", "password", "good-password").URL
}

// confirming is the page of a link that its app has yet to confirm.
func confirming(s *latchtest.Server) string {
	s.Helper()
	id := s.Trial.ClientApps[latchkey.AppRedirect]
	s.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+id, `{"requireConfirmation":true}`)
	defer s.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+id, `{"requireConfirmation":false}`)
	link := s.Init(map[string]any{"clientAppId": id, "provider": "sandbox", "clientReferenceId": "user_1"})
	s.Visit(link.URL).Consent().Submit("continue", "username", "jo@creator.sandbox.com", "password", "good-password")
	return link.URL
}

// elsewhere is a provider that people sign in to on its own page.
type elsewhere struct{}

// Describe returns the provider's facts.
func (elsewhere) Describe() connector.Description {
	return connector.Description{
		ID: "elsewhere", Name: "Elsewhere", Domain: "elsewhere.example",
		Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

// Advance sends the person to the provider, and knows no way back.
func (elsewhere) Advance(_ context.Context, flow connector.Flow, _ connector.Input) (connector.Step, error) {
	if flow.State != nil {
		return nil, errors.New("nobody comes back from elsewhere")
	}
	target := url.URL{Scheme: "https", Host: "elsewhere.example", Path: "/authorize"}
	return connector.Redirect{URL: target.String(), State: []byte("gone")}, nil
}
