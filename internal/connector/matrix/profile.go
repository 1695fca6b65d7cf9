package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// maxName bounds a display name, in bytes.
const maxName = 255

// Check asks the homeserver whose session it is. The error wraps
// connector.ErrDead when it is nobody's any more. An access token that was
// softly logged out, where it can still be refreshed, says nothing about the
// session.
func (c *Connector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	kept, err := c.readCredential(access.Credential)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	defer kept.zero()
	if err := c.whoami(ctx, access.HTTP, kept); err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	user, raw := c.look(ctx, access.HTTP, kept)
	if err := ctx.Err(); err != nil {
		return connector.Profile{}, fmt.Errorf("check: %w", err)
	}
	return connector.Profile{User: user, Raw: raw}, nil
}

// whoami demands that the session is still the linked person's.
func (c *Connector) whoami(ctx context.Context, client *http.Client, kept credential) error {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL: endpoint(kept.base, "v3", "account", "whoami"), Bearer: kept.Access.Reveal(),
	})
	if err != nil {
		return err
	}
	if !answer.OK() {
		told := faultOf(answer)
		switch {
		case told.Code == codeDeactivated:
			return &connector.Dead{Reason: connector.DeadBlocked}
		case told.Code == codeUnknownToken && (!told.SoftLogout || kept.Refresh.Empty()):
			return deadOf(told)
		}
		return answer.Unexpected()
	}
	var now struct {
		User string `json:"user_id"`
	}
	if err := answer.Decode(&now); err != nil {
		return err
	}
	if now.User != kept.User {
		return errors.New("the homeserver answered for another account")
	}
	return nil
}

// look returns what the person looks like. Who they are is known already, and a
// profile that can't be read takes nothing from it.
func (c *Connector) look(ctx context.Context, client *http.Client, kept credential) (latchkey.UserData, []byte) {
	known, _ := c.parseUserID(kept.User)
	user := latchkey.UserData{ID: kept.User, Username: kept.User, Name: known.local}
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL: endpoint(kept.base, "v3", "profile", kept.User), Bearer: kept.Access.Reveal(),
	})
	var profile struct {
		Name   string `json:"displayname"`
		Avatar string `json:"avatar_url"`
	}
	if err != nil || !answer.OK() || answer.Decode(&profile) != nil {
		bare, _ := new(jsonapi.Object).Word("user_id", kept.User).Bytes()
		return user, bare
	}
	if name := strings.TrimSpace(profile.Name); name != "" {
		user.Name = shorten(name)
	}
	user.Avatar = avatarOf(kept.base, profile.Avatar, kept.OpenMedia)
	return user, answer.Body
}

// shorten cuts a text to maxName bytes, at a character's border.
func shorten(name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return name
}

// isDead reports whether the error says that the session is over.
func isDead(err error) bool { return errors.Is(err, connector.ErrDead) }

// wrap names what failed, if anything did.
func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
