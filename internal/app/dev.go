package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/demo"
)

// Trial is the sandbox that `latchkey dev` makes at its first start and uses
// again at later ones.
type Trial struct {
	OrganisationID string                      `json:"organisationId"`
	APIKey         string                      `json:"apiKey"`
	ClientApps     map[latchkey.AppType]string `json:"clientApps"`
}

// trialFile keeps the sandbox key of the trial, so that later starts can show
// it again. It opens nothing but a sandbox on this machine.
const trialFile = "dev.json"

// trialApps are the types of the trial's client apps, the oldest first.
var trialApps = []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel}

// trialRedirects are the redirect URIs of the trial's apps.
var trialRedirects = []string{"http://127.0.0.1/callback", "http://localhost:3000/callback"}

// Demo adds the demo shop of the trial to what is served.
func (a *App) Demo(trial Trial) error {
	return demo.Register(a.router, demo.Config{
		URL: a.config.LinkURL, APIKey: trial.APIKey, ClientApps: trial.ClientApps, Now: a.parts.Now,
	})
}

// Trial returns the trial's sandbox, made new or as it was.
func (a *App) Trial(ctx context.Context) (Trial, error) {
	path := filepath.Join(a.config.Data, trialFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a.makeTrial(ctx, path)
	}
	if err != nil {
		return Trial{}, fmt.Errorf("read the trial's sandbox: %w", err)
	}
	var trial Trial
	if err := json.Unmarshal(text, &trial); err != nil {
		return Trial{}, fmt.Errorf("read the trial's sandbox: %s is damaged: %w", path, err)
	}
	if trial.OrganisationID == "" || trial.APIKey == "" || len(trial.ClientApps) < len(trialApps) {
		return Trial{}, fmt.Errorf("read the trial's sandbox: %s is damaged: something is missing", path)
	}
	key, _, err := a.store.APIKeyByHash(ctx, latchkey.HashSecret(trial.APIKey))
	if err != nil || key.OrganisationID != trial.OrganisationID {
		return Trial{}, fmt.Errorf("%s does not belong to this database; remove the folder %s to begin anew: %w",
			path, a.config.Data, cmp.Or(err, errors.New("its key is another organisation's")))
	}
	if !key.RevokedAt.IsZero() {
		return Trial{}, fmt.Errorf("the key of %s has been revoked; remove the folder %s to begin anew", path, a.config.Data)
	}
	for appType, id := range trial.ClientApps {
		if err := a.renewTrialApp(ctx, trial.OrganisationID, id, appType); err != nil {
			return Trial{}, err
		}
	}
	return trial, nil
}

// renewTrialApp makes a client app of the trial as it should be at this start,
// anew if somebody has deleted it.
func (a *App) renewTrialApp(ctx context.Context, organisationID, id string, appType latchkey.AppType) error {
	record := latchkey.AuditRecord{
		OrganisationID: organisationID, Environment: latchkey.Sandbox, Actor: "latchkey dev", Action: latchkey.AuditAppUpdated,
		Subject: id, Detail: "{}", CreatedAt: a.parts.Now(),
	}
	before, err := a.store.ClientApp(ctx, organisationID, latchkey.Sandbox, id)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		record.Action = latchkey.AuditAppCreated
		return a.store.CreateClientApp(ctx, a.trialApp(latchkey.ClientApp{
			ID: id, OrganisationID: organisationID, Environment: latchkey.Sandbox, CreatedAt: record.CreatedAt,
		}, appType), record)
	}
	if err != nil {
		return err
	}
	after := a.trialApp(before, appType)
	if after.UpdatedAt = before.UpdatedAt; reflect.DeepEqual(before, after) {
		return nil
	}
	after.UpdatedAt = record.CreatedAt
	return a.store.UpdateClientApp(ctx, before, after, record)
}

// makeTrial writes the organisation first and the file that names it last.
func (a *App) makeTrial(ctx context.Context, path string) (Trial, error) {
	now := a.parts.Now()
	organisation := latchkey.Organisation{
		ID: latchkey.NewID(a.parts.Random, latchkey.PrefixOrganisation), Name: "Acme (trial)", CreatedAt: now,
	}
	key, text := auth.NewKey(a.parts.Random, organisation.ID, latchkey.Sandbox, "trial", latchkey.AllScopes(), now)
	trial := Trial{OrganisationID: organisation.ID, APIKey: text, ClientApps: map[latchkey.AppType]string{}}
	var apps []latchkey.ClientApp
	for i, appType := range trialApps {
		app := latchkey.ClientApp{
			ID: latchkey.NewID(a.parts.Random, latchkey.PrefixClientApp), OrganisationID: organisation.ID,
			Environment: latchkey.Sandbox, CreatedAt: now.Add(time.Duration(i) * time.Microsecond),
		}
		apps = append(apps, a.trialApp(app, appType))
		trial.ClientApps[appType] = app.ID
	}
	if err := a.store.CreateOrganisation(ctx, organisation, []latchkey.APIKey{key}, apps); err != nil {
		return Trial{}, err
	}
	encoded, err := json.Marshal(trial)
	if err != nil {
		return Trial{}, fmt.Errorf("encode the trial's sandbox: %w", err)
	}
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		return Trial{}, fmt.Errorf("keep the trial's sandbox: %w", err)
	}
	return trial, nil
}

// trialApp is how a client app of the trial should be at this start: the
// server's own origin and providers may have changed.
func (a *App) trialApp(app latchkey.ClientApp, appType latchkey.AppType) latchkey.ClientApp {
	app.Type, app.Name, app.Domain = appType, "Acme Shop", "acme.example"
	app.RedirectURIs = trialRedirects
	app.AllowedOrigins = []string{"http://localhost:3000", a.config.LinkURL}
	app.Providers = a.servedIn(latchkey.Sandbox)
	app.Permissions = []latchkey.Permission{
		{Name: "profile:read", Purpose: "to show your name and picture next to what you do in Acme Shop"},
		{Name: "posts:read", Purpose: "to list your latest posts on your shop page"},
		{Name: "messages:write", Purpose: "to send the messages that you write in Acme Shop"},
	}
	app.WhitelabelEnabled = appType == latchkey.AppWhitelabel
	app.UpdatedAt = a.parts.Now()
	return app
}

// servedIn returns the ids of the providers that serve an environment, the
// sandbox first and the others by name.
func (a *App) servedIn(environment latchkey.Environment) []string {
	var served []string
	for id, provider := range a.connectors {
		if slices.Contains(provider.Describe().Environments, environment) {
			served = append(served, id)
		}
	}
	slices.SortFunc(served, func(one, other string) int {
		switch {
		case one == string(latchkey.Sandbox):
			return -1
		case other == string(latchkey.Sandbox):
			return 1
		}
		return strings.Compare(one, other)
	})
	return served
}
