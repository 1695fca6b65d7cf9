package guardtest

import (
	"fmt"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest/shottest"
)

// approved are names that an operator may register, odd and long ones.
var approved = []string{"Acme", "1&1 Mail", "O’Reilly & Sons, Inc.", "متجر", "楽天ショップ", "Tiếng Việt", "100% Shop", strings.Repeat("W", 64), strings.Repeat("é", 64),
	strings.Repeat("漢", 64), strings.Repeat("ab ", 21) + "c"}

// claims are what a caller might send to be called otherwise.
var claims = []string{"client_name", "clientName", "name", "appName", "app_name", "displayName", "domain", "appDomain", "logoUrl", "logo_uri", "title", "app", "clientApp",
	"brand", "accentColor", "text", "heading", "provider_name"}

const impostor = "Impostor Bank"

func TestTheNameIsTheOneThatWasApproved(t *testing.T) {
	s := start(t)
	shown, wrong := 0, 0
	for _, name := range approved {
		s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.Name, a.Domain = name, "shop.example" })
		body := map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": "sandbox", "clientReferenceId": impostor}
		metadata, options := map[string]any{}, map[string]any{}
		query := "embed=true&embed_origin=https%3A%2F%2Fimpostor.example"
		for _, claim := range claims {
			body[claim], options[claim] = impostor, impostor
			if metadata[claim] = impostor; len(metadata) > 20 {
				delete(metadata, claim)
			}
			query += "&" + claim + "=" + strings.ReplaceAll(impostor, " ", "+")
		}
		body["metadata"], body["options"] = metadata, options
		address := s.Init(body).URL
		for _, step := range []string{"", "continue", "approve"} {
			if step != "" {
				s.Visit(address).Submit(step)
			}
			for _, at := range []string{address, with(address, query[strings.Index(query, "&")+1:]), strings.Replace(with(address, query), "/cs_", "/s/cs_", 1)} {
				page := s.Visit(at).Page
				shown++
				html, _ := page.Html()
				if got := page.Find(".asker-name").Text(); got != name || page.Find("#app-domain").Text() != "shop.example" || strings.Contains(html, impostor) {
					wrong++
					t.Errorf("at %q it is %q instead of %q; the impostor is there: %v", step, got, name, strings.Contains(html, impostor))
				}
			}
		}
	}
	fmt.Printf("RESULT B-6 %d 0\n", wrong)
	fmt.Printf("RESULT B-6.n %d 90\n", shown)
	if shown < 90 {
		t.Errorf("only %d looks", shown)
	}
}

// inSight is an expression for whether every part of the verified domain is in
// the window, is on top of what else is there, and is as it was registered.
const inSight = `(() => {
	const domain = document.getElementById("app-domain");
	if (!domain) return "it is not on the page";
	for (const box of domain.getClientRects()) {
		if (box.top < 0 || box.left < -1 || box.bottom > innerHeight || box.right > innerWidth + 1) return "it is at " + [box.left, box.top, box.right, box.bottom] + " of " + [innerWidth, innerHeight];
		const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
		if (top !== domain && !domain.contains(top)) return "it is under " + (top && top.outerHTML.slice(0, 80));
	}
	const style = getComputedStyle(domain);
	if (parseFloat(style.fontSize) < 12 || style.visibility !== "visible" || style.opacity !== "1") return "it is hardly seen: " + style.fontSize;
	return domain.textContent;
})()`

func TestTheDomainIsAboveTheFold(t *testing.T) {
	s := start(t)
	tab := shottest.Open(t).Visit(t, "about:blank", phone)
	looks, hidden := 0, 0
	steps := map[string]string{
		"authorization": open(s, latchkey.AppRedirect, "sandbox").Submit("continue").URL,
		"pre-login":     open(s, latchkey.AppRedirect, "sandbox").URL,
		"login":         open(s, latchkey.AppRedirect, "sandbox").Consent().URL,
		"2fa":           open(s, latchkey.AppRedirect, "sandbox").Consent().Submit("continue", "username", "jo@phone.sandbox.com", "password", "good-password").URL,
	}
	for _, name := range []string{strings.Repeat("W", 64), strings.Repeat("漢", 64), strings.Repeat("م", 64)} {
		for _, domain := range []string{strings.Repeat("w", 63) + ".example", strings.Repeat("long.", 30) + "example"} {
			s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.Name, a.Domain = name, domain })
			for _, step := range named(steps) {
				for _, query := range []string{"lang=en", "lang=ar"} {
					tab.Go(with(steps[step], query))
					for _, view := range []shottest.View{{Width: 320, Height: 480}, {Width: 640, Height: 400}, {Width: 384, Height: 512}} { // the last two: 1280×800, 768×1024 at 200 %
						view.Still = true
						tab.Look(view)
						looks++
						if got := shottest.Eval[string](tab, inSight); got != domain {
							hidden++
							t.Errorf("%s, %s, %d×%d, %.12s… at %.20s…: %s", step, query, view.Width, view.Height, name, domain, got)
						}
					}
				}
			}
		}
	}
	fmt.Printf("RESULT B-6.fold %d 0\n", hidden)
	fmt.Printf("RESULT B-6.fold.n %d 140\n", looks)
	if looks < 140 {
		t.Errorf("only %d looks", looks)
	}
}
