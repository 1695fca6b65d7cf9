package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// errUndiscovered is FAIL_PROMPT: what the domain says of its homeserver is
// empty or invalid, and the person is asked again.
var errUndiscovered = errors.New("the domain of the Matrix ID does not say where its homeserver is")

// Bounds of what a homeserver lists.
const (
	maxVersions = 256
	maxFlows    = 64
)

// homeserver is where an account lives.
type homeserver struct {
	base      *url.URL
	openMedia bool // pictures can be fetched without a token
}

// unusable is FAIL_ERROR: what the domain names is no homeserver, and no guess
// is to be made.
func unusable(reason string) error {
	return &connector.Failure{Code: latchkey.FailureProviderUnavailable, Reason: reason}
}

// discover finds the homeserver of an ID
// (client-server API, "Server Discovery", "Well-known URI").
func (c *Connector) discover(ctx context.Context, client *http.Client, user userID) (homeserver, error) {
	base, named, err := c.wellKnown(ctx, client, user)
	if err != nil {
		return homeserver{}, err
	}
	versions, err := c.versions(ctx, client, base)
	switch {
	case ctx.Err() != nil:
		return homeserver{}, fmt.Errorf("ask the homeserver: %w", ctx.Err())
	case err != nil && named:
		return homeserver{}, unusable("what the domain names as its homeserver is none: " + err.Error())
	case err != nil:
		return homeserver{}, fmt.Errorf("%w: %w", errUndiscovered, err)
	}
	newest := slices.Max(append(versions, -1))
	if newest < 1 {
		return homeserver{}, unusable("the homeserver does not know version 1.1 of the API")
	}
	return homeserver{base: base, openMedia: newest < 11}, nil
}

// wellKnown asks the ID's domain where its homeserver is, and whether the domain
// has named it: with no file there, it is the domain itself.
func (c *Connector) wellKnown(ctx context.Context, client *http.Client, user userID) (base *url.URL, named bool, err error) {
	target := &url.URL{Scheme: "https", Host: user.host(), Path: "/.well-known/matrix/client"}
	self := &url.URL{Scheme: "https", Host: user.server}
	if isLoopback(user.host()) { // an ID that only development lets through
		target.Scheme, target.Host, self.Scheme = "http", user.server, "http"
	}
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{URL: target})
	if err != nil {
		return nil, false, fmt.Errorf("ask the domain of the ID: %w", err)
	}
	if answer.Status == http.StatusNotFound { // IGNORE
		return self, false, nil
	}
	var file struct {
		Homeserver struct {
			Base string `json:"base_url"`
		} `json:"m.homeserver"`
		Identity *struct {
			Base string `json:"base_url"`
		} `json:"m.identity_server"`
	}
	if answer.Status != http.StatusOK || answer.Decode(&file) != nil || file.Homeserver.Base == "" ||
		(file.Identity != nil && file.Identity.Base == "") {
		return nil, false, errUndiscovered
	}
	base, ok := c.parseBase(file.Homeserver.Base)
	if !ok {
		return nil, false, unusable("what the domain names as its homeserver is no address that can be used")
	}
	return base, true, nil
}

// versions returns the minor numbers of the versions v1.x that a homeserver
// speaks.
func (c *Connector) versions(ctx context.Context, client *http.Client, base *url.URL) ([]int, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{URL: endpoint(base, "versions")})
	if err != nil {
		return nil, err
	}
	var told struct {
		Versions []string `json:"versions"`
	}
	if answer.Status != http.StatusOK {
		return nil, answer.Unexpected()
	}
	if err := answer.Decode(&told); err != nil {
		return nil, err
	}
	if len(told.Versions) == 0 || len(told.Versions) > maxVersions {
		return nil, errors.New("the homeserver lists no versions, or too many")
	}
	var minors []int
	for _, version := range told.Versions {
		minor, ok := strings.CutPrefix(version, "v1.")
		if number, err := strconv.Atoi(minor); ok && err == nil {
			minors = append(minors, number)
		}
	}
	return minors, nil
}

// The ways to log in that are understood.
const (
	flowSSO      = "m.login.sso"
	flowPassword = "m.login.password" //nolint:gosec // the name of a way to log in
	flowToken    = "m.login.token"    //nolint:gosec // the same
)

// flows returns the ways to log in that a homeserver offers.
func (c *Connector) flows(ctx context.Context, client *http.Client, server homeserver) ([]string, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{URL: endpoint(server.base, "v3", "login")})
	if err != nil {
		return nil, fmt.Errorf("ask how to log in: %w", err)
	}
	var told struct {
		Flows []struct {
			Type string `json:"type"`
		} `json:"flows"`
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("ask how to log in: %w", answer.Unexpected())
	}
	if err := answer.Decode(&told); err != nil {
		return nil, fmt.Errorf("ask how to log in: %w", err)
	}
	if len(told.Flows) > maxFlows {
		return nil, errors.New("ask how to log in: too many ways")
	}
	var types []string
	for _, flow := range told.Flows {
		types = append(types, flow.Type)
	}
	return types, nil
}
