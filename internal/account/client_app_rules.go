package account

import (
	"regexp"
	"slices"
	"strconv"

	"latchkey"
)

// The bounds of a client app.
const (
	maxURIs        = 20
	maxOrigins     = 20
	maxProviders   = 100
	maxPermissions = 100
	maxPurpose     = 200 // characters
)

var (
	accentColor    = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	permissionName = regexp.MustCompile(`^[a-z0-9][a-z0-9:._-]{0,63}$`)
)

// CheckClientApp returns the app as it may be stored, with its registrable
// domain, or the first field at fault. It is for the operator at the console,
// who may approve one thing that the API refuses: a name with symbols in it or
// in more than one script. What hides or turns text is refused there too.
func (a *Account) CheckClientApp(app latchkey.ClientApp) (latchkey.ClientApp, error) {
	return a.checkClientApp(latchkey.ClientApp{Name: app.Name}, app)
}

// checkClientApp holds an app against every rule and sets its registrable
// domain. The name and the providers that it had before were approved when they
// came.
func (a *Account) checkClientApp(before, app latchkey.ClientApp) (latchkey.ClientApp, error) {
	isLive := app.Environment == latchkey.Live
	where := site{domain: app.Domain, isLive: isLive}
	for _, check := range []func() error{
		func() error { return checkType(app) },
		func() error { return broken("name", nameRule(app.Name, app.Name == before.Name)) },
		func() error { return broken("domain", where.domainRule()) },
		func() error { return checkLook(app) },
		func() error { return checkList("redirectUris", app.RedirectURIs, maxURIs, where.redirectRule) },
		func() error { return checkList("allowedOrigins", app.AllowedOrigins, maxOrigins, where.originRule) },
		func() error {
			return checkProviders(app.Providers, append(a.config.Served(app.Environment), before.Providers...))
		},
		func() error { return checkPermissions(app.Permissions) },
		func() error { return checkSwitches(app) },
	} {
		if err := check(); err != nil {
			return app, err
		}
	}
	app.Registrable = ""
	if isLive {
		app.Registrable = registrable(app.Domain)
	}
	return app, nil
}

// broken is the error of a field whose rule is broken; "" is none.
func broken(field, rule string) error {
	if rule == "" {
		return nil
	}
	return latchkey.InvalidField(field, rule)
}

// checkList holds every entry of a list against a rule. An entry twice is an
// error of the second.
func checkList(field string, list []string, most int, rule func(string) string) error {
	if len(list) > most {
		return latchkey.InvalidField(field, "must have at most "+strconv.Itoa(most)+" entries")
	}
	for i, entry := range list {
		at := field + "." + strconv.Itoa(i)
		if err := broken(at, rule(entry)); err != nil {
			return err
		}
		if slices.Contains(list[:i], entry) {
			return latchkey.InvalidField(at, "is there already")
		}
	}
	return nil
}

func checkType(app latchkey.ClientApp) error {
	switch app.Type {
	case latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel:
		return nil
	}
	return latchkey.InvalidField("type", "must be redirect, embed or whitelabel")
}

func checkLook(app latchkey.ClientApp) error {
	if app.LogoURL != "" {
		if err := broken("logoUrl", logoRule(app.LogoURL)); err != nil {
			return err
		}
	}
	if app.AccentColor != "" && !accentColor.MatchString(app.AccentColor) {
		return latchkey.InvalidField("accentColor", "must be like #1a2b3c")
	}
	return nil
}

func checkProviders(providers, served []string) error {
	return checkList("providers", providers, maxProviders, func(provider string) string {
		if !slices.Contains(served, provider) {
			return "is not served in this environment"
		}
		return ""
	})
}

func checkPermissions(permissions []latchkey.Permission) error {
	if len(permissions) > maxPermissions {
		return latchkey.InvalidField("permissions", "must have at most 100 entries")
	}
	known := map[string]bool{}
	for i, permission := range permissions {
		at := "permissions." + strconv.Itoa(i)
		if !permissionName.MatchString(permission.Name) {
			return latchkey.InvalidField(at+".name",
				"must be like profile:read: lower-case letters, digits and : . _ - in up to 64 characters")
		}
		if known[permission.Name] {
			return latchkey.InvalidField(at+".name", "is there already")
		}
		known[permission.Name] = true
		if err := broken(at+".purpose", textRule(permission.Purpose, maxPurpose)); err != nil {
			return err
		}
	}
	return nil
}

// checkSwitches refuses what does not go together.
func checkSwitches(app latchkey.ClientApp) error {
	if app.RequireConfirmation && app.Type == latchkey.AppWhitelabel {
		return latchkey.InvalidField("requireConfirmation", "is not for whitelabel: nobody is redirected")
	}
	if app.WhitelabelEnabled && app.Type != latchkey.AppWhitelabel {
		return latchkey.InvalidField("whitelabelEnabled", "is only for the type whitelabel")
	}
	return nil
}
