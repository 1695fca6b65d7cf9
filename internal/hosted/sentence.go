package hosted

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"latchkey"
)

// Title returns the document's title. It says first when something was
// refused, since a screen reader reads it first.
func (v *view) Title() (string, error) {
	key := v.Content.name() + ".title"
	switch content := v.Content.(type) {
	case PreLogin:
		if content.Many {
			key += ".several"
		}
	case Reconnect:
		key = PreLogin{}.name() + ".title"
	case Error:
		heading := v.Sentence(content.Title)
		if heading == "" {
			var err error
			if heading, err = v.Tell(failureKey(content.Code)); err != nil {
				return "", err
			}
		}
		return v.Tell(key, heading)
	}
	title, err := v.Tell(key)
	if err != nil || v.RefusedKey() == "" {
		return title, err
	}
	return v.Tell("refused.title", title)
}

// FailureKey returns the key of a failure's title; with ".explanation" it is
// the key of its explanation.
func (v *view) FailureKey(code latchkey.FailureCode) string { return failureKey(code) }

func failureKey(code latchkey.FailureCode) string {
	if _, ok := tongues["en"].texts["failure."+string(code)]; ok {
		return "failure." + string(code)
	}
	return "failure"
}

// Tell returns a text with its names as plain text, for titles and labels.
func (v *view) Tell(key string, args ...any) (string, error) {
	return v.fill(key, args, func(s string) string { return s }, func(s string) string { return s })
}

// Say returns a text as HTML, each name in it isolated from its surroundings
// (HTML, element bdi), so that none can turn the direction of the sentence.
func (v *view) Say(key string, args ...any) (template.HTML, error) {
	text, err := v.fill(key, args, template.HTMLEscapeString, func(s string) string {
		return `<bdi class="name">` + template.HTMLEscapeString(s) + `</bdi>`
	})
	return template.HTML(text), err
}

// fill looks the text up and puts the words in, with plain applied to what is
// ours and name to what is foreign.
func (v *view) fill(key string, args []any, plain, name func(string) string) (string, error) {
	var argument any
	if len(args) > 0 {
		argument = args[0]
	}
	text, ok := v.spoken.text(key, argument)
	if !ok {
		return "", fmt.Errorf("no text %q", key)
	}
	var b strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(plain(before))
		if !found {
			break
		}
		word, after, _ := strings.Cut(rest, "}")
		foreign, err := v.word(word, argument)
		if err != nil {
			return "", fmt.Errorf("text %q: %w", key, err)
		}
		if word == "n" {
			b.WriteString(plain(foreign))
		} else {
			b.WriteString(name(foreign))
		}
		text = after
	}
	return b.String(), nil
}

// word returns what stands for a word in braces.
func (v *view) word(word string, argument any) (string, error) {
	switch word {
	case "app":
		return orElse(v.AppName, v.spoken.texts["nobody.app"]), nil
	case "domain":
		return v.AppDomain, nil
	case "provider":
		return orElse(v.ProviderName, v.spoken.texts["nobody.provider"]), nil
	case "site":
		return orElse(v.ProviderDomain, v.spoken.texts["nobody.provider"]), nil
	case "n":
		if n, ok := argument.(int); ok {
			return strconv.Itoa(n), nil
		}
	case "x":
		if x, ok := argument.(string); ok {
			return clean(x, sentenceLimit), nil
		}
	}
	return "", fmt.Errorf("nothing stands for {%s}", word)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
