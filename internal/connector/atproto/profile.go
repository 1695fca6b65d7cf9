package atproto

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// Bounds of a profile, in bytes.
const (
	maxName   = 255
	maxAvatar = 2048
)

// Check asks the PDS whose session it is. The error wraps connector.ErrDead
// when the session is nobody's any more. An access token that has merely
// expired is to be refreshed: it says nothing about the session.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	defer kept.zero()
	now, err := c.getSession(ctx, access.HTTP, kept)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	if now.Handle != kept.Handle && c.isHandle(now.Handle) && c.owns(ctx, access.HTTP, now.Handle, kept.DID) {
		kept.Handle = now.Handle
	}
	user, raw := c.look(ctx, access.HTTP, kept)
	if err := ctx.Err(); err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	return connector.Profile{User: user, Raw: raw}, nil
}

// getSession asks whose session it is.
func (c *Connector) getSession(ctx context.Context, client *http.Client, kept credential) (session, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL: method(kept.pds, "com.atproto.server.getSession"), Bearer: kept.Access.Reveal(), Limit: maxSession,
	})
	if err != nil {
		return session{}, err
	}
	if told := faultOf(answer); told.Error != "" && told.Error != faultExpired {
		if err := dead(told); err != nil {
			return session{}, err
		}
	}
	if !answer.OK() {
		return session{}, answer.Unexpected()
	}
	var now session
	if err := answer.Decode(&now); err != nil {
		return session{}, err
	}
	switch {
	case now.DID != kept.DID:
		return session{}, errors.New("the PDS answered for another account")
	case now.Status == "takendown", now.Status == "suspended":
		return session{}, &connector.Dead{Reason: connector.DeadBlocked}
	}
	return now, nil
}

// look returns what the person looks like: their Bluesky profile, which the PDS
// fetches from its AppView, or on a bare PDS the account alone. Who they are is
// known already, and is not taken from it.
func (c *Connector) look(ctx context.Context, client *http.Client, kept credential) (latchkey.UserData, []byte) {
	handle := cmp.Or(kept.Handle, kept.DID)
	user := latchkey.UserData{ID: kept.DID, Username: handle, Name: handle}
	target := method(kept.pds, "app.bsky.actor.getProfile")
	target.RawQuery = url.Values{"actor": {kept.DID}}.Encode()
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{URL: target, Bearer: kept.Access.Reveal()})
	var profile struct {
		DID    string `json:"did"`
		Name   string `json:"displayName"`
		Avatar string `json:"avatar"`
	}
	if err != nil || !answer.OK() || answer.Decode(&profile) != nil || profile.DID != kept.DID {
		bare, _ := new(jsonapi.Object).Word("did", kept.DID).Word("handle", kept.Handle).Bytes()
		return user, bare
	}
	if name := strings.TrimSpace(profile.Name); name != "" {
		user.Name = shorten(name)
	}
	if avatar, err := url.Parse(profile.Avatar); err == nil && len(profile.Avatar) <= maxAvatar && avatar.Scheme == "https" &&
		avatar.Host != "" && avatar.User == nil {
		user.Avatar = avatar.String()
	}
	return user, answer.Body
}

// shorten cuts a text to maxName bytes, at a character's border.
func shorten(name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}
