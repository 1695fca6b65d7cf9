package hosted

import (
	"strings"
	"testing"
)

func TestTexts(t *testing.T) {
	v, err := newView(Page{AppName: `A<b>`, Content: Gone{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("names are escaped and isolated in HTML and plain elsewhere", func(t *testing.T) {
		said, err := v.Say("done.return")
		if want := `Back to <bdi class="name">A&lt;b&gt;</bdi>`; err != nil || string(said) != want {
			t.Errorf("said %q, %v, want %q", said, err, want)
		}
		told, err := v.Tell("done.return")
		if err != nil || told != "Back to A<b>" {
			t.Errorf("told %q, %v", told, err)
		}
	})
	t.Run("a name in braces is not filled in", func(t *testing.T) {
		v, err := newView(Page{AppName: "{provider}", ProviderName: "Sandbox", Content: Gone{}})
		if err != nil {
			t.Fatal(err)
		}
		if told, err := v.Tell("done.return"); err != nil || told != "Back to {provider}" {
			t.Errorf("told %q, %v", told, err)
		}
	})
	t.Run("nobody has a name of their own", func(t *testing.T) {
		if told, err := v.Tell("login.heading"); err != nil || told != "Sign in to the provider" {
			t.Errorf("told %q, %v", told, err)
		}
	})
	t.Run("an unknown key or word is an error, not a gap", func(t *testing.T) {
		for _, key := range []string{"no.such.text", "attempts"} {
			if _, err := v.Tell(key); err == nil {
				t.Errorf("%s: no error", key)
			}
		}
	})
	t.Run("every sentence can be filled in", func(t *testing.T) {
		for key, text := range tongues["en"].texts {
			var arguments []any
			if strings.Contains(text, "{n}") || strings.HasSuffix(key, ".one") {
				arguments = append(arguments, 2)
			} else if strings.Contains(text, "{x}") {
				arguments = append(arguments, "x")
			}
			told, err := v.Tell(key, arguments...)
			if err != nil || told == "" || strings.ContainsAny(told, "{}") {
				t.Errorf("%s: %q, %v", key, told, err)
			}
		}
	})
}

func TestClean(t *testing.T) {
	for what, test := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"plain text stays":                 {"Acme & Söhne", 64, "Acme & Söhne"},
		"white space becomes one space":    {"  a\t\n\u2028 b\u00a0 ", 64, "a b"},
		"overrides and isolates vanish":    {"\u202eabc\u2066\u200f", 64, "abc"},
		"invisible letters vanish":         {"a\u200bb\ufeffc\u00ad\x00\x1b", 64, "abc"},
		"joiners of real scripts stay":     {"می\u200cخواهم", 64, "می\u200cخواهم"},
		"a long text is cut":               {"abcdef", 3, "abc…"},
		"a text of the limit is not cut":   {"abc", 3, "abc"},
		"what vanishes does not cut":       {"abc\u200b ", 3, "abc"},
		"cut by characters, not by bytes":  {"日本語テキスト", 3, "日本語…"},
		"marks do not stack without limit": {"e" + strings.Repeat("\u0301", 9), 64, "e" + strings.Repeat("\u0301", 4)},
		"nothing stays nothing":            {"\u202e \x00", 64, ""},
	} {
		t.Run(what, func(t *testing.T) {
			if got := clean(test.text, test.limit); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text, nameLimit)
		if length := len([]rune(got)); length > 2*nameLimit {
			t.Errorf("%d characters", length)
		}
		if again := clean(got, 2*nameLimit+1); again != got {
			t.Errorf("cleaned again %q becomes %q", got, again)
		}
	})
}
