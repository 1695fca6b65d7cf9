package hosted

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"latchkey/internal/link"
)

var placeholder = regexp.MustCompile(`\{\w+\}`)

// categoriesOf are the plural categories a language has for whole numbers,
// but the one that stands for all others.
func categoriesOf(tag string) []string {
	found := map[string]bool{}
	for _, n := range []int{0, 1, 2, 3, 5, 11, 22, 100, 101, 1000000} {
		form := plural.Cardinal.MatchPlural(language.Make(tag), n, 0, 0, 0, 0)
		if form != plural.Other {
			found[categories[form]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	english, keys := tongues["en"].texts, 0
	if want := []string{"en", "ar", "de", "es", "fr", "it", "ja", "nl", "pl", "pt"}; !slices.Equal(offered, want) {
		t.Errorf("offered %v, want %v", offered, want)
	}
	if diff := cmp.Diff(offered, link.ConsentLanguages()); diff != "" {
		t.Errorf("the consent is there in other languages (-pages +consent):\n%s", diff)
	}
	for tag, spoken := range tongues {
		counted := map[string][]string{}
		for key, text := range spoken.texts {
			stem, category := key, ""
			if dot := strings.LastIndexByte(key, '.'); slices.Contains(slices.Collect(maps.Values(categories)), key[max(dot, 0):]) {
				stem, category = key[:dot], key[dot:]
			}
			original, ok := english[stem]
			if !ok {
				t.Errorf("%s: nobody asks for %q", tag, key)
				continue
			}
			keys++
			want, got := placeholder.FindAllString(original, -1), placeholder.FindAllString(text, -1)
			if category != "" {
				counted[stem] = append(counted[stem], category)
				got, want = slices.DeleteFunc(got, isCount), slices.DeleteFunc(want, isCount) // one may be said in words
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(slices.Compact(got), slices.Compact(want)) {
				t.Errorf("%s: %s has the words %v, want %v", tag, key, got, want)
			}
			if strings.TrimSpace(text) != text || text == "" || strings.Contains(text, "  ") {
				t.Errorf("%s: %s is %q", tag, key, text)
			}
		}
		for key, text := range english {
			if _, ok := spoken.texts[key]; !ok && !strings.HasSuffix(key, ".one") {
				t.Errorf("%s does not say %q", tag, key)
			}
			if !strings.Contains(text, "{n}") || tag == pseudoTag {
				continue
			}
			slices.Sort(counted[key])
			if diff := cmp.Diff(categoriesOf(tag), counted[key]); diff != "" && len(categoriesOf(tag))+len(counted[key]) > 0 {
				t.Errorf("%s: categories of %s (-want +got):\n%s", tag, key, diff)
			}
		}
	}
	t.Logf("%d sentences in %d languages", keys, len(tongues))
}

func isCount(word string) bool { return word == "{n}" }

func TestNoSentenceIsIdle(t *testing.T) {
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if content, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			} else if !strings.HasSuffix(file, "_test.go") {
				sources.Write(content)
			}
		}
	}
	said := sources.String()
	for key := range tongues["en"].texts {
		stem, _, _ := strings.Cut(key, ".")
		made := []string{"pre-login", "permission", "known", "failure", "refused", "2fa"} // put together when they are drawn
		if slices.Contains(made, stem) || strings.HasSuffix(key, ".one") || strings.HasSuffix(key, ".title") {
			continue
		}
		if !strings.Contains(said, `"`+key+`"`) {
			t.Errorf("nothing says %q", key)
		}
	}
}

func TestThePageSpeaksTheLanguageOf(t *testing.T) {
	for what, c := range map[string]struct{ query, locale, accept, want string }{
		"nobody":                            {want: "en"},
		"the browser":                       {accept: "fr-CH, fr;q=0.9, en;q=0.8", want: "fr"},
		"the browser's first that we speak": {accept: "sv, pl;q=0.5", want: "pl"},
		"the browser's best":                {accept: "en;q=0.1, ja;q=0.9", want: "ja"},
		"a region of ours":                  {accept: "pt-BR", want: "pt"},
		"the app before the browser":        {locale: "nl-BE", accept: "fr", want: "nl"},
		"an app in none of ours":            {locale: "tlh", accept: "en", want: "en"},
		"who chose it on the page":          {query: "ar", locale: "nl", accept: "fr", want: "ar"},
		"a test":                            {query: "en-XA", want: "en-XA"},
		"nobody who chose what is not":      {query: "xx", accept: "es", want: "es"},
		"nobody who chose another case":     {query: "DE", want: "en"},
		"a broken browser":                  {accept: "de;q=x,,;;", want: "en"},
		"a wild card":                       {accept: "*", want: "en"},
		"a hostile browser":                 {accept: strings.Repeat("xx-abcdefgh,", 100000) + "de", want: "en"},
		"a long list with ours at the head": {accept: "de," + strings.Repeat("a", 100000), want: "de"},
		"extensions":                        {accept: "de-u-co-phonebk-x-whatever", want: "de"},
	} {
		t.Run(what, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/cs_x?lang="+c.query, nil)
			r.Header.Set("Accept-Language", c.accept)
			if got := speak(r, c.locale).tag; got != c.want {
				t.Errorf("it speaks %s, want %s", got, c.want)
			}
		})
	}
}

func TestNumbersAreSaidAsTheLanguageDoes(t *testing.T) {
	for tag, want := range map[string][]string{
		"en": {"This is the last attempt.", "2 attempts left."},
		"pl": {"To ostatnia próba.", "Pozostały 2 próby."},
		"ar": {"هذه آخر محاولة.", "بقيت محاولتان."},
		"ja": {"あと 1 回試せます。", "あと 2 回試せます。"},
	} {
		v, err := newView(Page{Lang: tag, Content: Gone{}})
		if err != nil {
			t.Fatal(err)
		}
		for i, said := range want {
			if got, err := v.Tell("attempts", i+1); err != nil || got != said {
				t.Errorf("%s %d: %q, %v, want %q", tag, i+1, got, err, said)
			}
		}
	}
}

func TestEveryPageIsDrawnInEveryLanguage(t *testing.T) {
	drawn := 0
	for tag, spoken := range tongues {
		for name, content := range sampleContents() {
			page := samplePage(content)
			page.Lang = tag
			document := draw(t, page)
			selector := fmt.Sprintf("html[lang=%s][dir=%s]", tag, spoken.dir)
			if document.Find(selector).Length() != 1 || strings.ContainsAny(document.Find("title, main").Text(), "{}") {
				t.Errorf("%s in %s: %s", name, tag, document.Find("title").Text())
			}
			drawn++
		}
	}
	t.Logf("%d pages", drawn)
}
