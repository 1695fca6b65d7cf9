package oauth2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
)

// Bounds of a profile's facts, in bytes.
const (
	maxFact   = 255
	maxAvatar = 2048
)

// Where the standard claims are (OpenID Connect Core 1.0, section 5.1).
var (
	usualSubject  = Fact{"$.sub"}
	usualName     = Fact{"$.name"}
	usualUsername = Fact{"$.preferred_username", "$.nickname", "$.email", "$.name", "$.sub"}
	usualAvatar   = Fact{"$.picture"}
)

// identity is who has logged in.
type identity struct {
	user    latchkey.UserData
	subject string // of the ID token
}

// identify finds out who has logged in: by the ID token, if one is due, and by
// whatever the file says.
func (v *visit) identify(ctx context.Context, s *server, m memory, t *tokens) (identity, error) {
	who := identity{}
	var claims object
	if v.config.openID() {
		verified, err := v.verify(ctx, s, m, t)
		if err != nil {
			return who, err
		}
		who.subject, claims = verified.subject, verified.claims
	}
	sources := []object{claims}
	switch from := v.config.profileFrom(); from {
	case fromToken:
		sources = []object{t.members}
	case fromUserinfo, fromURL:
		a, err := v.askProfile(ctx, s, v.config.Profile.Request, t.access)
		if errors.Is(err, connector.ErrDead) { // no older connection is
			return who, violated("profile: the new access token is refused")
		}
		if err != nil {
			return who, err
		}
		defer a.close()
		if err := checkSubject(from, a, who.subject); err != nil {
			return who, err
		}
		sources = []object{a.members, claims}
	}
	var err error
	who.user, err = v.config.Profile.read(sources...)
	return who, err
}

// askProfile asks one of the provider's servers with an access token. The
// error wraps connector.ErrDead when the token is dead. The caller closes the
// answer.
func (v *visit) askProfile(ctx context.Context, s *server, q Request, token []byte) (*answer, error) {
	endpoint, address := "profile", q.URL
	if address == "" {
		endpoint, address = "userinfo endpoint", s.userinfo
	}
	if address == "" {
		return nil, violated("userinfo endpoint: the server has none")
	}
	a, err := v.fetch(ctx, v.authorised(endpoint, address, q, token))
	if err != nil {
		return nil, err
	}
	if q.Dead.recognises(a) {
		err = fmt.Errorf("%w: %w", a.unexpected(), connector.ErrDead)
	} else {
		_, err = a.object()
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// recognises reports whether an answer means that the token is dead.
func (d Dead) recognises(a *answer) bool {
	if a.status == http.StatusUnauthorized {
		return true
	}
	if d.Path == "" {
		return false
	}
	value, found := d.Path.text(a.members)
	return found && slices.Contains(d.Values, value)
}

// checkSubject checks that the userinfo endpoint speaks of the person of the
// ID token (OpenID Connect Core 1.0, section 5.3.2).
func checkSubject(from string, a *answer, subject string) error {
	if from != fromUserinfo || subject == "" {
		return nil
	}
	if told, _ := a.members["sub"].(text); string(told) != subject {
		return violated("userinfo endpoint: the subject is not the ID token's")
	}
	return nil
}

// read takes the facts out of the sources, the first before the others.
func (p *Profile) read(sources ...object) (latchkey.UserData, error) {
	find := func(fact, usual Fact) string {
		if len(fact) == 0 {
			fact = usual
		}
		for _, source := range sources {
			if found := fact.find(source); found != "" && source != nil {
				return found
			}
		}
		return ""
	}
	user := latchkey.UserData{ID: find(p.Subject, usualSubject)}
	if user.ID == "" || len(user.ID) > maxFact {
		return latchkey.UserData{}, violated("profile: the answer has no usable id")
	}
	user.Username = shorten(find(p.Username, usualUsername))
	if user.Username == "" {
		user.Username = user.ID
	}
	user.Name = shorten(find(p.FullName, usualName))
	if user.Name == "" {
		user.Name = user.Username
	}
	user.Avatar = avatar(find(p.Avatar, usualAvatar))
	return user, nil
}

// shorten cuts a text to maxFact bytes, at a character's border, and drops
// what can't be shown.
func shorten(fact string) string {
	fact = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, fact)
	if len(fact) > maxFact {
		fact = strings.ToValidUTF8(fact[:maxFact], "")
	}
	return strings.TrimSpace(fact)
}

// avatar returns the URL of a picture, "" when it is not one that a page may
// show.
func avatar(link string) string {
	target, err := url.Parse(link)
	if err != nil || len(link) > maxAvatar || safeURL(target, false) != nil {
		return ""
	}
	return target.String()
}

// Check asks the provider who the connection is. The error wraps
// connector.ErrDead when the access token is dead.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	held, err := openCredential(access.Credential)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	defer held.close()
	v := &visit{Connector: c, http: access.HTTP, now: access.Now}
	profile, err := v.check(ctx, held)
	if errors.Is(err, connector.ErrDead) {
		err = fmt.Errorf("%w: %w", &connector.Dead{Reason: held.deadReason(v)}, err)
	}
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	return profile, nil
}

// deadReason returns why a token that the provider refuses is dead.
func (c *credential) deadReason(v *visit) string {
	if c.Expiry != 0 && c.expires().After(v.now) {
		return connector.DeadRevoked
	}
	return connector.DeadSession
}

// check asks for the check's own answer, if the file has one, else for the
// profile.
func (v *visit) check(ctx context.Context, held *credential) (connector.Profile, error) {
	s, err := v.server(ctx)
	if err != nil {
		return connector.Profile{}, err
	}
	from, q := v.config.profileFrom(), v.config.Check
	if q.URL == "" {
		q = v.config.Profile.Request
	}
	a, err := v.askProfile(ctx, s, q, held.Access.Reveal())
	if err != nil {
		return connector.Profile{}, err
	}
	defer a.close()
	profile := connector.Profile{User: held.User, Raw: bytes.Clone(a.body)}
	if v.config.Check.URL != "" {
		return profile, nil
	}
	if err := checkSubject(from, a, held.Subject); err != nil {
		return connector.Profile{}, err
	}
	if from == fromIDToken { // its claims are as at the login
		return profile, nil
	}
	profile.User, err = v.config.Profile.read(a.members)
	if err == nil && profile.User.ID != held.User.ID {
		err = errors.New("profile: the token has become another person's")
	}
	return profile, err
}
