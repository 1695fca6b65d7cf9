package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

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
	return v.read(a)
}

// read takes the facts out of the profile's answer.
func (v *visit) read(a *answer) (connector.Profile, error) {
	p := &v.recipe.Profile
	tree, ok := a.json()
	if !ok || a.status < 200 || a.status > 299 {
		return connector.Profile{}, fmt.Errorf("unexpected answer: %s", a.summary())
	}
	user := latchkey.UserData{}
	var found bool
	if user.ID, found = p.ID.first(tree); !found || user.ID == "" || len(user.ID) > maxFact {
		return connector.Profile{}, errors.New("the answer has no usable id")
	}
	if user.Username, found = p.Username.first(tree); !found || user.Username == "" {
		return connector.Profile{}, errors.New("the answer has no username")
	}
	user.Username = shorten(user.Username)
	user.Name = user.Username
	if p.Name != nil {
		if name, ok := p.Name.first(tree); ok && strings.TrimSpace(name) != "" {
			user.Name = shorten(name)
		}
	}
	if p.Avatar != nil {
		link, _ := p.Avatar.first(tree)
		user.Avatar = avatar(v.recipe.base, link)
	}
	return connector.Profile{User: user, Raw: bytes.Clone(a.body)}, nil
}

// shorten cuts a text to maxFact bytes, at a character's border.
func shorten(fact string) string {
	if len(fact) > maxFact {
		fact = strings.ToValidUTF8(fact[:maxFact], "")
	}
	return fact
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
// value that the request needs is there no more.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	m, err := c.recipe.remember(access.Credential)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
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
