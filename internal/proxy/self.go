package proxy

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/vault"
	"latchkey/internal/web"
)

// selfResponse is the linked person, with what the provider itself said.
type selfResponse struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Username string         `json:"username"`
	Avatar   *string        `json:"avatar"`
	Raw      jsontext.Value `json:"raw"`
}

// self answers GET /v2/access/self.
func (d *door) self(w http.ResponseWriter, r *http.Request) error {
	opened, err := d.open(w, r, vault.PurposeProfile)
	if err != nil {
		return err
	}
	defer opened.Close()
	checker, ok := opened.Connector.(connector.Checker)
	if !ok {
		return web.WriteJSON(w, http.StatusOK, describe(connector.Profile{User: opened.Connection.User}))
	}
	profile, err := checker.Check(r.Context(), opened.Access(d.config.Now()))
	if errors.Is(err, connector.ErrDead) {
		return d.config.Vault.Report(r.Context(), opened, err)
	}
	if err != nil {
		return &latchkey.Error{
			Code: latchkey.NetworkFailed, Message: "the provider can't be reached", RetryAfter: 5,
			Err: fmt.Errorf("check %s: %w", opened.Connection.ID, err),
		}
	}
	d.config.Vault.Prove(r.Context(), opened)
	hidden := conceal(opened)
	defer hidden.mask.forget()
	profile.Raw = hidden.text(profile.Raw)
	return web.WriteJSON(w, http.StatusOK, describe(profile))
}

func describe(profile connector.Profile) selfResponse {
	answer := selfResponse{
		ID: profile.User.ID, Name: profile.User.Name, Username: profile.User.Username, Raw: jsontext.Value("null"),
	}
	if profile.User.Avatar != "" {
		answer.Avatar = &profile.User.Avatar
	}
	if raw := jsontext.Value(profile.Raw); raw.IsValid() {
		answer.Raw = raw
	}
	return answer
}
