package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/web"
)

// settingsRequest is the body of PATCH /v2/account/settings.
type settingsRequest struct {
	Name      web.Optional[string]           `json:"name"`
	Defaults  web.Optional[defaultsRequest]  `json:"defaults"`
	VaultPlus web.Optional[vaultPlusRequest] `json:"vaultPlus"`
}

type defaultsRequest struct {
	ExpiresIn web.Optional[int]    `json:"expiresIn"`
	Locale    web.Nullable[string] `json:"locale"`
}

type vaultPlusRequest struct {
	Enabled    web.Optional[bool] `json:"enabled"`
	AutoEnable web.Optional[bool] `json:"autoEnableForNewConnections"`
}

func (r settingsRequest) change() account.SettingsChange {
	change := account.SettingsChange{Name: r.Name.Pointer()}
	if defaults := r.Defaults.Pointer(); defaults != nil {
		change.ExpiresIn, change.Locale = defaults.ExpiresIn.Pointer(), defaults.Locale.Pointer()
	}
	if vaultPlus := r.VaultPlus.Pointer(); vaultPlus != nil {
		change.VaultPlus, change.VaultPlusForNew = vaultPlus.Enabled.Pointer(), vaultPlus.AutoEnable.Pointer()
	}
	return change
}

// organisationBody is what an organisation decided for itself. Clients of the
// published API decode vaultPlus, which there is none of here.
type organisationBody struct {
	ID        string                `json:"id"` // org_…
	Name      *string               `json:"name"`
	Defaults  defaultsBody          `json:"defaults"`
	VaultPlus organisationVaultPlus `json:"vaultPlus"`
}

type defaultsBody struct {
	ExpiresIn int     `json:"expiresIn"` // seconds
	Locale    *string `json:"locale"`
}

type organisationVaultPlus struct {
	Enabled    bool `json:"enabled"`
	AutoEnable bool `json:"autoEnableForNewConnections"`
}

func describeOrganisation(organisation latchkey.Organisation) organisationBody {
	body := organisationBody{
		ID: organisation.ID, Defaults: defaultsBody{ExpiresIn: account.ExpiresIn(organisation.Defaults)},
	}
	if organisation.Name != "" {
		body.Name = &organisation.Name
	}
	if organisation.Defaults.Locale != "" {
		body.Defaults.Locale = &organisation.Defaults.Locale
	}
	return body
}

// settingsGet answers GET /v2/account/settings.
func (d *door) settingsGet(w http.ResponseWriter, r *http.Request) error {
	organisation, err := d.config.Accounts.Settings(r.Context(), web.Caller(r.Context()))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeOrganisation(organisation))
}

// settingsUpdate answers PATCH /v2/account/settings.
func (d *door) settingsUpdate(w http.ResponseWriter, r *http.Request) error {
	var body settingsRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	organisation, err := d.config.Accounts.UpdateSettings(r.Context(), web.Caller(r.Context()), body.change())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeOrganisation(organisation))
}
