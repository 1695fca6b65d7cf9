package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// TestInterleavings does, once a login page is open, what an impatient person
// does, in every order and without waiting: submit, reload and go back. The
// provider is asked once, and the link is made.
func TestInterleavings(t *testing.T) {
	s, browser := newStage(t, latchtest.Options{}), start(t)
	orders := [][]string{
		{"submit", "reload", "back"}, {"submit", "back", "reload"}, {"reload", "submit", "back"},
		{"reload", "back", "submit"}, {"back", "submit", "reload"}, {"back", "reload", "submit"},
	}
	wrong := 0
	for _, plain := range []bool{false, true} {
		for _, order := range orders {
			name := strings.Join(order, ", ") + map[bool]string{true: " without JavaScript"}[plain]
			t.Run(name, func(t *testing.T) {
				before := s.Provider.Logins()
				link := s.Init(map[string]any{
					"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": latchtest.ProviderID,
					"clientReferenceId": name, "redirectUrl": s.Origin + "/callback",
				})
				tab := browser.Person(t)
				defer tab.Close()
				if plain {
					scriptless(tab)
				}
				page := tab.Top()
				tab.Go(s.Origin + "/host") // what back may lead to
				tab.Go(link.URL)
				do(page, consent()...)
				see(page, "login")
				for _, act := range order {
					switch act {
					case "submit":
						if !page.Try(at("login")) {
							tab.Reach(link.URL)
						}
						do(page, login("ada", latchtest.Password))
					case "reload":
						page.Try(`(location.reload(), true)`)
					case "back":
						page.Try(`(history.back(), true)`)
					}
				}
				latchtest.Eventually(t, "the link is made", func() bool { return s.status(link) == "completed" })
				latchtest.Eventually(t, "the connection is told of", func() bool { return s.hooks(name)["connection.created"] == 1 })
				if tries, linked := s.Provider.Logins()-before, len(s.connected(name)); tries != 1 || linked != 1 {
					wrong++
					t.Errorf("%d tries, %d connections", tries, linked)
				}
				tab.Reach(link.URL)
				page.Until("the link opens nothing any more", `!document.querySelector("form")`)
			})
		}
	}
	fmt.Printf("RESULT interleavings %d 0\n", wrong)
	fmt.Printf("RESULT interleavings.n %d 12\n", 2*len(orders))
}
