package replicatest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
	"latchkey/internal/link"
)

// duel is two replicas that are asked for the same at the same time.
type duel struct {
	*testing.T
	sides [2]*latchtest.Server
}

// both lets both sides do it at once and returns what each of them got.
func both[R any](d *duel, do func(s *latchtest.Server, side int) R) [2]R {
	var results [2]R
	var doing sync.WaitGroup
	begin := make(chan struct{})
	for side, s := range d.sides {
		doing.Go(func() {
			<-begin
			results[side] = do(s, side)
		})
	}
	close(begin)
	doing.Wait()
	return results
}

// one reports whether exactly one of the answers has the status of a winner,
// and the other that of a loser.
func one(answers [2]latchtest.Answer, won int, lost ...int) bool {
	a, b := answers[0].Status, answers[1].Status
	return a == won && slices.Contains(lost, b) || b == won && slices.Contains(lost, a)
}

func TestOfTwoReplicasOneWins(t *testing.T) {
	options := latchtest.Options{DatabaseURL: latchtest.NewPostgres(t), Data: filepath.Join(t.TempDir(), "data")}
	d := &duel{T: t}
	for side := range d.sides {
		d.sides[side] = latchtest.Start(t, options)
	}
	d.sides[0].ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.RequireConfirmation = true })
	times := scaletest.Of(100, 1000)
	for _, race := range []struct {
		name string
		run  func(d *duel, n int) bool
	}{
		{"submit", (*duel).submit}, {"confirm", (*duel).confirm}, {"revoke", (*duel).revoke}, {"rotate", (*duel).rotate},
		{"rename", (*duel).rename},
	} {
		right := 0
		for n := range times {
			if race.run(d, n) {
				right++
			}
		}
		fmt.Printf("RESULT C-4.%s %d %d\n", race.name, right, times)
		if right != times {
			t.Errorf("%s: in %d of %d races there was not exactly one winner", race.name, times-right, times)
		}
	}
}

// submit sends one submission for one version.
func (d *duel) submit(int) bool {
	begun := d.sides[0].Init(map[string]any{
		"clientAppId": d.sides[0].Trial.ClientApps[latchkey.AppWhitelabel], "provider": "sandbox",
	})
	body := map[string]any{"version": 1, "fields": map[string]string{"textVersion": link.ConsentTextVersion}}
	return one(both(d, func(s *latchtest.Server, _ int) latchtest.Answer {
		return s.Call("POST", "/v2/link/"+begun.Secret()+"/submit", body)
	}), http.StatusAccepted, http.StatusConflict)
}

// confirm exchanges one code, which is good once.
func (d *duel) confirm(n int) bool {
	reference := fmt.Sprintf("user_%d", n)
	begun := d.sides[0].Init(map[string]any{
		"clientAppId": d.sides[0].Trial.ClientApps[latchkey.AppRedirect], "provider": "sandbox", "clientReferenceId": reference,
	})
	visit := d.sides[0].Visit(begun.URL).Consent().Submit("continue",
		"username", fmt.Sprintf("u%d@creator.sandbox.com", n), "password", "good-password")
	if visit.Landed == nil {
		d.Fatal("the login did not end")
	}
	body := map[string]string{"code": visit.Landed.Query().Get("code"), "clientReferenceId": reference}
	answers := both(d, func(s *latchtest.Server, _ int) latchtest.Answer { return s.Call("POST", "/v2/link/confirm", body) })
	type confirmed struct {
		Status string `json:"status"`
	}
	won := 0
	for side, answer := range answers {
		if answer.Status == http.StatusOK && latchtest.Decode[confirmed](d.sides[side], answer).Status == "completed" {
			won++
		}
	}
	return won == 1
}

// revoke ends one key.
func (d *duel) revoke(n int) bool {
	type made struct {
		ID string `json:"id"`
	}
	key := latchtest.Decode[made](d.sides[0], d.sides[0].Want(http.StatusCreated, "POST", "/v2/api-keys",
		map[string]any{"name": fmt.Sprintf("key %d", n), "scopes": []string{"ACCOUNT"}}))
	return one(both(d, func(s *latchtest.Server, _ int) latchtest.Answer {
		return s.Call("DELETE", "/v2/api-keys/"+key.ID, nil)
	}), http.StatusNoContent, http.StatusNotFound)
}

// rotate puts another secret in the place of one: of the two that come, one
// stays and the other is the one before it.
func (d *duel) rotate(n int) bool {
	organisation := d.sides[0].Trial.OrganisationID
	endpoint := latchkey.WebhookEndpoint{
		ID: latchkey.NewID(rand.Reader, latchkey.PrefixWebhookEndpoint), OrganisationID: organisation,
		Environment: latchkey.Sandbox, URL: "https://shop.example/hook", Events: []string{"connection.created"},
		Status: latchkey.EndpointDisabled, SealedSecret: []byte("first"), CreatedAt: time.Now(),
	}
	record := latchkey.AuditRecord{
		OrganisationID: organisation, Environment: latchkey.Sandbox, Actor: "test", Subject: endpoint.ID,
		Action: latchkey.AuditSecretRotated, Detail: "{}", CreatedAt: endpoint.CreatedAt,
	}
	must(d, d.sides[0].App.Store().CreateWebhookEndpoint(d.Context(), endpoint, record))
	errs := both(d, func(s *latchtest.Server, side int) error {
		_, err := s.App.Store().RotateEndpointSecret(d.Context(), latchkey.SecretRotation{
			EndpointID: endpoint.ID, OrganisationID: organisation, Environment: latchkey.Sandbox,
			SealedSecret: fmt.Appendf(nil, "of %d", side), PreviousUntil: endpoint.CreatedAt.Add(time.Hour),
		}, record)
		return err
	})
	now, err := d.sides[0].App.Store().WebhookEndpoint(d.Context(), organisation, latchkey.Sandbox, endpoint.ID)
	must(d, err)
	pair := string(now.SealedSecret) + " after " + string(now.PreviousSecret)
	return errs[0] == nil && errs[1] == nil && (pair == "of 0 after of 1" || pair == "of 1 after of 0")
}

// rename changes one client app that both have read as it is.
func (d *duel) rename(n int) bool {
	organisation, id := d.sides[0].Trial.OrganisationID, d.sides[0].Trial.ClientApps[latchkey.AppEmbed]
	before, err := d.sides[0].App.Store().ClientApp(d.Context(), organisation, latchkey.Sandbox, id)
	must(d, err)
	name := func(side int) string { return fmt.Sprintf("Shop %d of %d", n, side) }
	errs := both(d, func(s *latchtest.Server, side int) error {
		after := before
		after.Name, after.UpdatedAt = name(side), before.UpdatedAt.Add(time.Microsecond)
		return s.App.Store().UpdateClientApp(d.Context(), before, after, latchkey.AuditRecord{
			OrganisationID: organisation, Environment: latchkey.Sandbox, Actor: "test", Subject: id,
			Action: latchkey.AuditAppUpdated, Detail: "{}", CreatedAt: after.UpdatedAt,
		})
	})
	now, err := d.sides[1].App.Store().ClientApp(d.Context(), organisation, latchkey.Sandbox, id)
	must(d, err)
	for winner := range errs {
		if errs[winner] == nil && latchkey.CodeOf(errs[1-winner]) == latchkey.Conflict && now.Name == name(winner) {
			return true
		}
	}
	return false
}
