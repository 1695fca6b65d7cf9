package hosted

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"latchkey/internal/link"
)

// catalogue holds every sentence of the pages in one language. Words in braces
// are filled in when a sentence is drawn: {app} {domain} {provider} {site} are
// names, {n} is a number, {x} a foreign text. A key stands for every number
// but those that a key with a plural category behind it stands for: ".zero",
// ".one", ".two", ".few", ".many" (Unicode TR35 part 3, section 5).
type catalogue map[string]string

// tongue is one language of the pages.
type tongue struct {
	tag   string // BCP 47
	dir   string // "ltr" or "rtl"
	texts catalogue
}

//go:embed languages/*.json
var languageFiles embed.FS

// pseudoTag names English in disguise, for those who look for sentences that
// can't be translated and layouts that can't grow. It is drawn when a page is
// asked for it, and never offered.
const pseudoTag = "en-XA"

// tongues are the languages of the pages by tag; offered are their tags in the
// order they are offered, English first.
var tongues, offered = readTongues()

// matcher finds the best of the offered languages. It holds them in their
// order.
var matcher = newMatcher(offered)

func readTongues() (map[string]*tongue, []string) {
	files, err := fs.Glob(languageFiles, "languages/*.json")
	if err != nil {
		panic(fmt.Sprintf("list languages: %v", err))
	}
	read, tags := map[string]*tongue{}, []string{"en"}
	for _, file := range files {
		content, err := languageFiles.ReadFile(file)
		if err != nil {
			panic(fmt.Sprintf("read %s: %v", file, err))
		}
		spoken := &tongue{tag: strings.TrimSuffix(path.Base(file), ".json"), dir: "ltr"}
		if err := json.Unmarshal(content, &spoken.texts); err != nil { // refuses a key that is there twice
			panic(fmt.Sprintf("read %s: %v", file, err))
		}
		if spoken.tag == "ar" {
			spoken.dir = "rtl"
		}
		addConsent(spoken.texts, link.ConsentIn(spoken.tag))
		read[spoken.tag] = spoken
		if spoken.tag != "en" {
			tags = append(tags, spoken.tag)
		}
	}
	read[pseudoTag] = disguise(read["en"])
	return read, tags
}

// addConsent adds the wording that a person agrees to. It is the link room's,
// since apps with pages of their own show the same.
func addConsent(texts catalogue, words link.ConsentWords) {
	texts["authorization.heading"] = words.Heading
	texts["authorization.list"] = words.ListHeading
	texts["authorization.none"] = words.NothingMore
	texts["authorization.noreason"] = words.NoReason
	texts["authorization.password"] = words.Password
	texts["authorization.revoke"] = words.Revoke
}

func newMatcher(tags []string) language.Matcher {
	parsed := make([]language.Tag, len(tags))
	for i, tag := range tags {
		parsed[i] = language.MustParse(tag)
	}
	return language.NewMatcher(parsed)
}

// languageParameter is in the query of a page whose language was chosen on it.
const languageParameter = "lang"

// acceptLimit bounds how much of the languages a browser asks for is read, in
// bytes.
const acceptLimit = 256

// speak returns the language of a page: the one chosen on it, else the one the
// app asked for, else the best for the browser, else English.
func speak(r *http.Request, locale string) *tongue {
	if chosen, ok := tongues[asked(r, languageParameter)]; ok {
		return chosen
	}
	if spoken := best(locale); spoken != nil {
		return spoken
	}
	accepted := r.Header.Get("Accept-Language")
	if len(accepted) > acceptLimit {
		accepted = accepted[:strings.LastIndexByte(","+accepted[:acceptLimit], ',')]
	}
	if spoken := best(accepted); spoken != nil {
		return spoken
	}
	return tongues["en"]
}

// bestBound is how much is remembered of what browsers and apps ask for, in
// bytes.
const bestBound = 1 << 20

// knownBest remembers what best has found.
var knownBest = newMemo[*tongue](bestBound)

// best returns the language that fits a list of language ranges (RFC 9110,
// section 12.5.4), or nil when none does.
func best(ranges string) *tongue {
	if ranges == "" {
		return nil
	}
	if known, ok := knownBest.findText(ranges); ok {
		return known
	}
	found := match(ranges)
	knownBest.keep([]byte(ranges), found, 0)
	return found
}

func match(ranges string) *tongue {
	tags, _, err := language.ParseAcceptLanguage(ranges)
	if err != nil || len(tags) == 0 {
		return nil
	}
	_, index, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return nil
	}
	return tongues[offered[index]]
}

// Language is one that a page can be read in.
type Language struct {
	Tag     string // BCP 47
	Name    string // in the language itself
	Query   string // of the same page in it: a silent page must not name itself
	Current bool
}

// languages are the links to a page in every language that is offered. Who
// asks must not change the list.
func languages(r *http.Request, spoken *tongue) []Language {
	query := pageQuery(r)
	if len(query) == 0 {
		return plainLinks[spoken.tag]
	}
	return linksIn(spoken.tag, query)
}

// linksIn makes the list for a page with the query, which it changes.
func linksIn(current string, query url.Values) []Language {
	query.Set(languageParameter, "")
	before, after, _ := strings.Cut(query.Encode(), languageParameter+"=") // the only "=" behind the name: values are escaped
	before = "?" + before + languageParameter + "="
	list := make([]Language, len(offered))
	for i, tag := range offered {
		list[i] = Language{
			Tag: tag, Name: tongues[tag].texts["language.name"], Query: before + url.QueryEscape(tag) + after,
			Current: tag == current,
		}
	}
	return list
}

// plainLinks are the lists of pages without a query, by the language of the page.
var plainLinks = linkPlain()

func linkPlain() map[string][]Language {
	lists := map[string][]Language{}
	for tag := range tongues {
		lists[tag] = linksIn(tag, url.Values{})
	}
	return lists
}

// categories name the plural categories as the catalogues do.
var categories = map[plural.Form]string{
	plural.Zero: ".zero", plural.One: ".one", plural.Two: ".two", plural.Few: ".few", plural.Many: ".many",
}

// text returns the sentence of the key for the number; a key of another
// language's category is none.
func (t *tongue) text(key string, argument any) (string, bool) {
	if n, ok := argument.(int); ok {
		form := plural.Cardinal.MatchPlural(language.Make(t.tag), n, 0, 0, 0, 0)
		if text, ok := t.texts[key+categories[form]]; ok {
			return text, true
		}
	}
	text, ok := t.texts[key]
	return text, ok
}

// disguise returns English with accents, a third longer and in brackets.
func disguise(english *tongue) *tongue {
	accents := strings.NewReplacer("a", "á", "e", "ë", "i", "ï", "o", "ö", "u", "ü", "A", "Å", "E", "É", "I", "Î",
		"O", "Ö", "U", "Ü", "n", "ñ", "c", "ç", "y", "ÿ", "s", "š")
	texts := make(catalogue, len(english.texts))
	for key, text := range english.texts {
		var b strings.Builder
		for text != "" {
			plain, rest, found := strings.Cut(text, "{")
			b.WriteString(accents.Replace(plain))
			if !found {
				break
			}
			word, after, _ := strings.Cut(rest, "}")
			b.WriteString("{" + word + "}")
			text = after
		}
		longer := slices.Repeat([]string{"~"}, len([]rune(b.String()))*2/5)
		texts[key] = "[" + b.String() + strings.Join(longer, "") + "]"
	}
	return &tongue{tag: pseudoTag, dir: "ltr", texts: texts}
}
