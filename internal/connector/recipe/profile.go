package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// maxFact bounds a fact of a profile, in bytes; an avatar's URL may be longer.
const (
	maxFact   = 255
	maxAvatar = 2048
)

// profile asks for the linked person's facts.
func (v *visit) profile(ctx context.Context) (connector.Profile, error) {
	a, err := v.do(ctx, &v.recipe.Profile.Request)
	if err != nil {
		return connector.Profile{}, err
	}
	if err := v.recipe.refuses(a, nil); err != nil {
		return connector.Profile{}, err
	}
	return v.read(a)
}

// read takes the facts out of the profile's answer.
func (v *visit) read(a *answer) (connector.Profile, error) {
	p := &v.recipe.Profile
	_, isJSON := a.json()
	_, isHTML := a.html()
	if (!isJSON && !isHTML) || a.status < 200 || a.status > 299 {
		return connector.Profile{}, a.unexpected()
	}
	user := latchkey.UserData{}
	var found bool
	if user.ID, found = p.ID.in(a); !found || user.ID == "" || len(user.ID) > maxFact {
		return connector.Profile{}, a.failed("the answer has no usable id at " + p.ID.place())
	}
	if user.Username, found = p.Username.in(a); !found || user.Username == "" {
		return connector.Profile{}, a.failed("the answer has no username at " + p.Username.place())
	}
	user.Username = shortenTo(user.Username, maxFact)
	user.Name = user.Username
	if p.Name != nil {
		if name, ok := p.Name.in(a); ok && strings.TrimSpace(name) != "" {
			user.Name = shortenTo(name, maxFact)
		}
	}
	if p.Avatar != nil {
		link, _ := p.Avatar.in(a)
		user.Avatar = avatar(v.recipe.base, link)
	}
	if isJSON {
		return connector.Profile{User: user, Raw: bytes.Clone(a.body)}, nil
	}
	raw, err := json.Marshal(pageFacts{ID: user.ID, Name: user.Name, Username: user.Username, Avatar: user.Avatar})
	if err != nil {
		return connector.Profile{}, errors.New("the page's facts are not UTF-8")
	}
	return connector.Profile{User: user, Raw: raw}, nil
}

// pageFacts stand in for the JSON of a provider whose profile is a page.
type pageFacts struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Avatar   string `json:"avatar,omitzero"`
}

// shortenTo cuts a text to a number of bytes, at a character's border.
func shortenTo(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// avatar returns the absolute URL of a picture, "" when it is not one that a
// page may show: https, or of the recipe's own origin.
func avatar(base *url.URL, link string) string {
	if link == "" || len(link) > maxAvatar {
		return ""
	}
	target, err := base.Parse(link)
	if err != nil || target.User != nil || target.Host == "" || (target.Scheme != "https" && !sameOrigin(target, base)) {
		return ""
	}
	return target.String()
}

// Check asks the provider who the connection is. The error wraps
// connector.ErrDead when the recipe's condition says so, or when a cookie or
// value that the request needs is there no more, and connector.ErrBlocked when
// the provider takes us for a machine.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	m, err := c.recipe.remember(access.Credential)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	defer m.forget()
	profile, err := c.visit(access.HTTP, access.Now, m).check(ctx)
	if errors.Is(err, errMissing) {
		err = errors.Join(err, connector.ErrDead)
	}
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	return profile, nil
}

// check sends the check's own request, if there is one, and the profile's.
func (v *visit) check(ctx context.Context) (connector.Profile, error) {
	requests := []*request{&v.recipe.Profile.Request}
	if v.recipe.Check.Request != nil {
		requests = append([]*request{v.recipe.Check.Request}, requests...)
	}
	dead := false
	a, err := v.requests(ctx, requests, func(a *answer) bool {
		dead = v.recipe.Check.Dead.holds(a)
		return dead
	})
	if err != nil {
		return connector.Profile{}, err
	}
	if dead || v.recipe.Check.Dead.holds(a) {
		return connector.Profile{}, fmt.Errorf("%s: %w", a.summary(), connector.ErrDead)
	}
	return v.read(a)
}
