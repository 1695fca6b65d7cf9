package hosted

import (
	"bytes"
	"crypto/rand"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// secretPage is the page as a session's: its paths hold a client secret.
func secretPage(page Page, query string) Page {
	page.Secret = latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret)
	page.Action, page.EventsPath = "/"+page.Secret+query, "/s/"+page.Secret+"/events"+query
	if _, ok := page.Content.(Redirect); ok {
		page.Content = Redirect{Path: "/s/" + page.Secret + "/provider" + query}
	}
	return page
}

// checkSame holds what is answered for the page against what the templates make
// of it.
func checkSame(t *testing.T, kept *drawn, page Page) {
	t.Helper()
	answer := httptest.NewRecorder()
	if err := kept.write(answer, http.StatusOK, &page); err != nil {
		t.Fatal(err)
	}
	want := string(drawBytes(t, page))
	if got := answer.Body.String(); got != want {
		t.Errorf("%s is drawn as another page (-plain +kept):\n%s", page.Content.name(), cmp.Diff(want, got))
	}
	if strings.Contains(answer.Body.String(), kept.standIn) {
		t.Error("the secret that stands in is on the page")
	}
}

func TestAKeptPageIsThePageToTheByte(t *testing.T) {
	kept := newDrawn()
	for _, name := range slices.Sorted(maps.Keys(sampleContents())) {
		for tag := range tongues {
			for _, theme := range []string{ThemeAuto, ThemeDark} {
				for _, query := range []string{"", "?lang=" + tag + "&theme=" + theme + "&embed_origin=https%3A%2F%2Fa.example"} {
					page := samplePage(sampleContents()[name])
					page.Lang, page.Theme = tag, theme
					for range 3 { // drawn, and then kept for other secrets
						checkSame(t, kept, secretPage(page, query))
					}
				}
			}
		}
	}
	t.Run("with whatever names", func(t *testing.T) {
		kept := newDrawn()
		hostile := maps.Clone(hostileTexts)
		hostile["the secret that stands in"] = kept.standIn[:40] // whole, nobody can know it
		hostile["a secret"] = latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret)
		for _, text := range hostile {
			for _, content := range contents {
				page := hostilePage(content, text)
				named := samplePage(content)
				named.AppName, named.ProviderName, named.AppDomain, named.Messages = text, text, text, text
				for range 2 {
					checkSame(t, kept, secretPage(page, ""))
					checkSame(t, kept, secretPage(named, "?theme=dark"))
				}
			}
		}
	})
	t.Run("while many ask and old pages are dropped", func(t *testing.T) {
		kept := newDrawn()
		kept.pages.bound = 20_000 // three pages
		t.Run("at once", func(t *testing.T) {
			for range 4 {
				t.Run("", func(t *testing.T) {
					t.Parallel()
					for version := range int64(20) {
						page := samplePage(PreLogin{})
						page.Version = version % 5
						checkSame(t, kept, secretPage(page, ""))
					}
				})
			}
		})
		if kept.pages.held > kept.pages.bound || len(kept.pages.known) == 0 {
			t.Errorf("%d pages of %d bytes are kept, bound %d", len(kept.pages.known), kept.pages.held, kept.pages.bound)
		}
	})
}

func TestAPersonsOwnPageIsNotKept(t *testing.T) {
	kept := newDrawn()
	own := []string{"pre-login-again", "pre-login-search", "login-again", "2fa", "wait-face", "done", "error-mismatch", "expired", "gone"}
	for _, name := range own {
		checkSame(t, kept, secretPage(samplePage(sampleContents()[name]), ""))
	}
	message := Login{Prompt: loginPrompt}
	message.Prompt.Message = "Hello Ada"
	checkSame(t, kept, secretPage(samplePage(message), ""))
	checkSame(t, kept, samplePage(PreLogin{})) // of no session
	if len(kept.pages.known) > 0 {
		t.Errorf("%d pages are kept", len(kept.pages.known))
	}
	page := secretPage(samplePage(PreLogin{}), "")
	checkSame(t, kept, page)
	for like, pieces := range kept.pages.known {
		if whole := like + string(bytes.Join(pieces, nil)); strings.Contains(whole, page.Secret) {
			t.Error("a client secret is kept")
		}
	}
	if len(kept.pages.known) != 1 {
		t.Errorf("%d pages are kept, want the first one", len(kept.pages.known))
	}
}

// What a page is drawn from must be in its likeness: a field that is forgotten
// there would show one app's page to another's people.
func TestEveryFieldOfAPageIsInItsLikeness(t *testing.T) {
	login := Login{Prompt: loginPrompt, AttemptsLeft: 3}
	asked := Authorization{Permissions: []latchkey.Permission{{Name: "a", Purpose: "b"}}}
	for _, content := range []Content{
		PreLogin{Providers: []ProviderChoice{{ID: "a"}}}, asked, login, Redirect{Path: "/p"}, Trying{},
	} {
		page := secretPage(samplePage(content), "")
		before, ok := likenessOf(nil, &page)
		if !ok {
			t.Fatalf("%s has no likeness", content.name())
		}
		changed := 0
		changes(reflect.ValueOf(&page).Elem(), "page", func(what string) {
			changed++
			after, ok := likenessOf(nil, &page)
			if what == "page.RequestID" { // is drawn where something went wrong, which is never kept
				return
			}
			if ok && bytes.Equal(before, after) {
				t.Errorf("%s: %s is not in the likeness", content.name(), what)
			}
		})
		if changed < 25 {
			t.Errorf("%s: only %d fields were changed", content.name(), changed)
		}
	}
}

// changes changes every value below v in turn and puts it back.
func changes(v reflect.Value, what string, changed func(what string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			changes(v.Field(i), what+"."+v.Type().Field(i).Name, changed)
		}
		return
	case reflect.Slice:
		for i := range v.Len() {
			changes(v.Index(i), what+"[]", changed)
		}
	case reflect.Interface: // what is in it can't be changed in its place
		inside := reflect.New(v.Elem().Type()).Elem()
		inside.Set(v.Elem())
		whole := v
		changes(inside, what, func(what string) {
			old := reflect.ValueOf(whole.Interface())
			whole.Set(inside)
			changed(what)
			whole.Set(old)
		})
		return
	}
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	default:
		panic("a page has a " + v.Kind().String() + ": " + what)
	}
	changed(what)
	v.Set(old)
}
