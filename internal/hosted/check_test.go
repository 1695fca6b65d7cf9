package hosted

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey"

	"github.com/PuerkitoBio/goquery"
)

// checkInert finds what could run, load or be styled from the page itself.
func checkInert(t *testing.T, document *goquery.Document) {
	t.Helper()
	own := `script[src="/static/` + AssetHash() + `/page.js"][defer]`
	if document.Find(own).Length() != 1 || document.Find(own).Text() != "" {
		t.Error("the page does not have our script")
	}
	if found := document.Find("script, style, iframe, object, embed, base, template, img[src^=x]").Not(own); found.Length() > 0 {
		t.Errorf("the page has the element %s", goquery.NodeName(found))
	}
	document.Find("*").Each(func(_ int, element *goquery.Selection) {
		for _, attribute := range element.Nodes[0].Attr {
			if attribute.Key == "style" || strings.HasPrefix(attribute.Key, "on") {
				t.Errorf("<%s> has the attribute %s", goquery.NodeName(element), attribute.Key)
			}
			if address := strings.TrimSpace(strings.ToLower(attribute.Val)); attribute.Key == "href" && strings.HasPrefix(address, "javascript:") {
				t.Errorf("<%s> leads to a script", goquery.NodeName(element))
			}
		}
	})
}

// checkLocal finds addresses of other hosts.
func checkLocal(t *testing.T, document *goquery.Document) {
	t.Helper()
	document.Find("[href], [src], [action], [formaction], [srcset], [ping]").Each(func(_ int, element *goquery.Selection) {
		for _, name := range []string{"href", "src", "action", "formaction", "srcset", "ping"} {
			address, ok := element.Attr(name)
			if parsed, err := url.Parse(address); ok && (err != nil || parsed.Host != "" || parsed.Scheme != "" || address == "" || address[:1] != "/" && address[:1] != "?") {
				t.Errorf("<%s %s=%q> leads elsewhere", goquery.NodeName(element), name, address)
			}
		}
	})
}

// checkForms holds every form to the contract of the hosted pages.
func checkForms(t *testing.T, document *goquery.Document) {
	t.Helper()
	document.Find("input:not([type=hidden])").Each(func(_ int, in *goquery.Selection) {
		id := in.AttrOr("id", "")
		if document.Find(`label[for="`+id+`"]`).Length() != 1 {
			t.Errorf("the input %q has no label", id)
		}
		for _, described := range strings.Fields(in.AttrOr("aria-describedby", "")) {
			if document.Find("#"+described).Length() != 1 {
				t.Errorf("the input %q is described by %q, which is not there", id, described)
			}
		}
	})
	document.Find("form:not(.search)").Each(func(_ int, form *goquery.Selection) {
		if form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != "/cs_sample" {
			t.Error("a form does not post to the page")
		}
		if got := form.Find("input[type=hidden][name=version]").AttrOr("value", ""); got != "7" {
			t.Errorf("a form carries version %q, want 7", got)
		}
		form.Find("button:not([type=button])").Each(func(i int, button *goquery.Selection) {
			action := button.AttrOr("value", "")
			if button.AttrOr("name", "") != "action" || !slices.Contains(latchkey.Actions(), latchkey.Action(action)) {
				t.Errorf("a button sends %s=%s", button.AttrOr("name", ""), action)
			}
			_, skipsChecks := button.Attr("formnovalidate")
			if leaves := slices.Contains([]string{"back", "cancel", "deny", "resend"}, action); leaves != skipsChecks {
				t.Errorf("the button %s skips the form's checks: %v", action, skipsChecks)
			}
			if first := form.Find("a.primary").Length() == 0 && i == 0; first != button.HasClass("primary") {
				t.Errorf("button %d is %s, primary: %v", i, action, !first)
			}
		})
	})
}

func checkUnique(t *testing.T, document *goquery.Document) {
	t.Helper()
	seen := map[string]bool{}
	document.Find("[id]").Each(func(_ int, element *goquery.Selection) {
		id := element.AttrOr("id", "")
		if seen[id] {
			t.Errorf("two elements are called %q", id)
		}
		seen[id] = true
	})
}
