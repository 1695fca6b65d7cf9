package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/internal/connector"
)

// maxProfile bounds the provider's own profile.
const maxProfile = 1 << 20

// damaged is a credential of nobody; no error may show it.
const damaged = "damaged-credential-7f3a91"

// checkSkills checks every skill the provider has on a good credential.
func checkSkills(ctx context.Context, c Case, done connector.Done) []error {
	provider := c.connector()
	access := func() connector.Access {
		return connector.Access{
			ConnectionID: "conn_connectortest", Credential: bytes.Clone(done.Credential.Secret),
			HTTP: c.client(), Now: c.end(),
		}
	}
	var errs []error
	if authorizer, ok := provider.(connector.Authorizer); ok {
		errs = append(errs, checkAuthorizer(ctx, authorizer, done.Credential.Secret)...)
	}
	if keeper, ok := provider.(connector.Keeper); ok {
		empty := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
		if _, changed := keeper.Keep(access().Credential, empty); changed {
			errs = append(errs, errors.New("keep: an answer without headers changed the credential"))
		}
	}
	if checker, ok := provider.(connector.Checker); ok {
		errs = append(errs, checkProfile(ctx, checker, access(), done)...)
	}
	if refresher, ok := provider.(connector.Refresher); ok {
		errs = append(errs, checkRefresh(ctx, provider, refresher, access(), done)...)
	}
	if local, ok := provider.(connector.Local); ok {
		errs = append(errs, checkLocal(ctx, local)...)
	}
	if revoker, ok := provider.(connector.Revoker); ok { // last: it ends the credential
		for range 2 {
			if err := revoker.Revoke(ctx, access()); err != nil && !errors.Is(err, connector.ErrNoRevocation) {
				errs = append(errs, fmt.Errorf("revoke, which may be repeated: %w", err))
			}
		}
	}
	return errs
}

// checkAuthorizer checks that the credential is added to the header of a
// request, and that the request still goes where it went.
func checkAuthorizer(ctx context.Context, authorizer connector.Authorizer, credential []byte) []error {
	base, err := authorizer.Base(bytes.Clone(credential))
	if err != nil {
		return []error{fmt.Errorf("base: %w", err)}
	}
	if !safeTarget(base) || base.RawQuery != "" || base.Fragment != "" {
		return []error{errors.New("base: want an absolute https URL without query and fragment")}
	}
	if base.Path != "" && base.Path[0] != '/' {
		return []error{errors.New("base: want a path that begins with a slash, as the proxy adds to it")}
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("probe").String()+"?limit=1", nil)
	if err != nil {
		return []error{fmt.Errorf("build a request to the base: %w", err)}
	}
	before := out.Clone(ctx)
	var errs []error
	if err := authorizer.Authorize(out, bytes.Clone(credential)); err != nil {
		return []error{fmt.Errorf("authorize: %w", err)}
	}
	if out.URL.String() != before.URL.String() || out.Host != before.Host || out.Method != before.Method {
		errs = append(errs, errors.New("authorize: the request no longer goes where it went"))
	}
	if reflect.DeepEqual(out.Header, before.Header) {
		errs = append(errs, errors.New("authorize: nothing was added to the header"))
	}
	return append(errs, checkDamaged(authorizer, before)...)
}

// checkDamaged checks that no error shows a credential that can't be read.
func checkDamaged(authorizer connector.Authorizer, request *http.Request) []error {
	if err := authorizer.Authorize(request, []byte(damaged)); err != nil && holds(err.Error(), []byte(damaged)) {
		return []error{errors.New("authorize: the error shows the credential")}
	}
	if _, err := authorizer.Base([]byte(damaged)); err != nil && holds(err.Error(), []byte(damaged)) {
		return []error{errors.New("base: the error shows the credential")}
	}
	return nil
}

// checkProfile checks that the credential is the linked person's.
func checkProfile(ctx context.Context, checker connector.Checker, access connector.Access, done connector.Done) []error {
	profile, err := checker.Check(ctx, access)
	if err != nil {
		return []error{fmt.Errorf("check: %w", err)}
	}
	var errs []error
	if profile.User.ID != done.User.ID {
		errs = append(errs, errors.New("check: another user than the one that was linked"))
	}
	if len(profile.Raw) > maxProfile || !jsontext.Value(profile.Raw).IsValid() {
		errs = append(errs, fmt.Errorf("check: the raw profile is not JSON of at most %d bytes", maxProfile))
	}
	return errs
}

// checkRefresh checks that a renewed credential is still the linked person's.
func checkRefresh(ctx context.Context, provider connector.Connector, refresher connector.Refresher, access connector.Access, done connector.Done) []error {
	renewed, err := refresher.Refresh(ctx, access)
	if err != nil {
		return []error{fmt.Errorf("refresh: %w", err)}
	}
	if len(renewed.Secret) == 0 {
		return []error{errors.New("refresh: no credential")}
	}
	clear(access.Credential) // as the vault does; the new one must not share its bytes
	checker, ok := provider.(connector.Checker)
	if !ok {
		return nil
	}
	access.Credential = renewed.Secret
	if errs := checkProfile(ctx, checker, access, done); len(errs) > 0 {
		return []error{fmt.Errorf("after a refresh: %w", errors.Join(errs...))}
	}
	return nil
}

// checkLocal checks that a handler in this process serves nobody without a
// credential.
func checkLocal(ctx context.Context, local connector.Local) []error {
	handler := local.Handler()
	if handler == nil {
		return []error{errors.New("handler: none")}
	}
	target := url.URL{Scheme: "https", Host: "provider.invalid", Path: "/me"}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil))
	if recorder.Code != http.StatusUnauthorized {
		return []error{fmt.Errorf("handler: status %d without a credential, want 401", recorder.Code)}
	}
	return nil
}
