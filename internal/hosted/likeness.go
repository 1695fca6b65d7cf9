package hosted

import (
	"encoding/binary"
	"strings"

	"latchkey"
)

// likeness is what a page is drawn from, as bytes: pages with the same likeness
// are the same to the byte, but for the client secret in their paths. Every
// part says how long it is, so that no two pages share a likeness.
type likeness []byte

// likenessOf appends to space what the page is drawn from; ok is false for a
// page that is one person's own, and for one that shows which request it is.
func likenessOf(space []byte, page *Page) (like likeness, ok bool) {
	like = space
	for _, text := range [...]string{
		page.Lang, page.Theme, page.AppName, page.AppDomain, page.ProviderName, page.ProviderDomain, page.LogoPath,
		page.AssetPrefix, page.Accent, page.AppLogo, page.HostOrigin, page.Messages, page.Leave,
	} {
		like.text(text)
	}
	like.flag(page.Sandbox)
	like.flag(page.CanGoBack)
	like.number(page.Version)
	like.path(page.Action, page.Secret)
	like.path(page.EventsPath, page.Secret)
	like.number(int64(len(page.Languages)))
	for _, language := range page.Languages {
		like.text(language.Tag)
		like.text(language.Name)
		like.text(language.Query)
		like.flag(language.Current)
	}
	like.text(page.Content.name())
	ok = page.Secret != "" && like.content(page.Content, page.Secret)
	return like, ok
}

// content adds what a step adds. A step that names an account, or tells what
// became of one, is a person's own.
func (l *likeness) content(content Content, secret string) bool {
	switch content := content.(type) {
	case PreLogin:
		return l.preLogin(content)
	case Authorization:
		l.text(string(content.Refused))
		l.number(int64(len(content.Permissions)))
		for _, permission := range content.Permissions {
			l.text(permission.Name)
			l.text(permission.Purpose)
		}
	case Login:
		return l.login(content)
	case Redirect:
		l.path(content.Path, secret)
	case Trying:
	default:
		return false
	}
	return true
}

func (l *likeness) preLogin(content PreLogin) bool {
	if content.Search != "" || content.Reconnect != "" {
		return false
	}
	l.flag(content.Many)
	l.flag(content.Searching)
	l.number(int64(len(content.Providers)))
	for _, choice := range content.Providers {
		l.text(choice.ID)
		l.text(choice.Name)
		l.text(choice.Domain)
		l.text(choice.LogoPath)
		l.flag(choice.Selected)
	}
	return true
}

// login takes only what a provider asks everybody: no words of its own and no
// second factor.
func (l *likeness) login(content Login) bool {
	prompt := content.Prompt
	if content.Reconnect != "" || prompt.Message != "" || prompt.URL != "" || prompt.TwoFactor != nil || len(prompt.Methods) > 0 {
		return false
	}
	l.text(string(content.Refused))
	l.number(int64(content.AttemptsLeft))
	l.flag(prompt.CanResend)
	l.number(int64(len(prompt.Fields)))
	for _, field := range prompt.Fields {
		l.field(field)
	}
	return true
}

func (l *likeness) field(field latchkey.Field) {
	l.text(field.Name)
	l.text(string(field.Type))
	l.text(field.Label)
	l.text(field.Autocomplete)
	l.flag(field.Required)
}

func (l *likeness) text(text string) {
	*l = binary.AppendUvarint(*l, uint64(len(text)))
	*l = append(*l, text...)
}

func (l *likeness) number(n int64) { *l = binary.AppendVarint(*l, n) }

func (l *likeness) flag(set bool) {
	if set {
		*l = append(*l, 1)
		return
	}
	*l = append(*l, 0)
}

// path adds a path of ours without the client secret.
func (l *likeness) path(path, secret string) {
	if secret == "" {
		l.text(path)
		return
	}
	l.number(int64(strings.Count(path, secret)))
	for {
		before, after, found := strings.Cut(path, secret)
		l.text(before)
		if !found {
			return
		}
		path = after
	}
}
