package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// connectionSettingsBody is what an app may set of one connection.
type connectionSettingsBody struct {
	RateLimit rateLimitBody     `json:"rateLimit"`
	Metadata  map[string]string `json:"metadata"`
	VaultPlus vaultPlusBody     `json:"vaultPlus"`
}

type rateLimitBody struct {
	PerMinute int `json:"perMinute"`
	Burst     int `json:"burst"`
}

// vaultPlusBody is a feature of the published API that Latchkey does not have.
// Its clients decode it.
type vaultPlusBody struct {
	Enabled bool `json:"enabled"`
}

func describeSettings(connection latchkey.Connection) connectionSettingsBody {
	limit := connection.RateLimit.OrDefault()
	body := connectionSettingsBody{
		RateLimit: rateLimitBody{PerMinute: limit.PerMinute, Burst: limit.Burst}, Metadata: connection.Metadata,
	}
	if body.Metadata == nil {
		body.Metadata = map[string]string{}
	}
	return body
}

// connectionSettings answers GET /v2/account/connections/{id}/settings.
func (d *door) connectionSettings(w http.ResponseWriter, r *http.Request) error {
	connection, err := d.config.Links.Connection(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeSettings(connection))
}

// connectionConfigureRequest is the body of PATCH …/settings; what is absent
// stays.
type connectionConfigureRequest struct {
	RateLimit struct {
		PerMinute *int `json:"perMinute"`
		Burst     *int `json:"burst"`
	} `json:"rateLimit"`
	Metadata  map[string]string `json:"metadata"`
	VaultPlus vaultPlusBody     `json:"vaultPlus"`
}

// connectionConfigure answers PATCH /v2/account/connections/{id}/settings.
func (d *door) connectionConfigure(w http.ResponseWriter, r *http.Request) error {
	var body connectionConfigureRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	if body.VaultPlus.Enabled {
		return latchkey.InvalidField("vaultPlus.enabled", "can't be true: Latchkey has no such feature")
	}
	connection, err := d.config.Links.Configure(r.Context(), web.Caller(r.Context()), r.PathValue("id"), link.ConnectionChange{
		PerMinute: body.RateLimit.PerMinute, Burst: body.RateLimit.Burst, Metadata: body.Metadata,
	})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, describeSettings(connection))
}
