package latchkey_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	latchkey "latchkey/sdk/go"
)

// The secrets of an endpoint before and after a rotation, and of another one.
var (
	oldSecret   = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the old key of 32 bytes, 01234567"))
	newSecret   = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the new key of 32 bytes, 01234567"))
	otherSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("another's key, also of 32 bytes.."))
)

const eventText = `{"id":"evt_1","type":"connection.created","eventType":"connection.created","timestamp":"2026-11-24T10:00:00.000Z",
"live":true,"data":{"clientReferenceId":"user_1","connection":{"id":"conn_1","platformUserId":"u1","status":"active",
"permissions":["profile:read"],"userData":{"id":"u1","userId":"u1","name":"Ada ünï","username":"ada","avatar":null}}}}`

// sign signs as a reference implementation of Standard Webhooks does, with one
// secret or several, and adds OFAuth-Signature.
func sign(t *testing.T, id string, at time.Time, body string, secrets ...string) http.Header {
	t.Helper()
	seconds := strconv.FormatInt(at.Unix(), 10)
	var list []string
	ofauth := "t=" + seconds
	for _, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := signer.Sign(id, at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, signature)
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = fmt.Fprintf(mac, "%s.%s", seconds, body)
		ofauth += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	header := http.Header{}
	for _, prefix := range []string{"webhook-", "svix-"} {
		header.Set(prefix+"id", id)
		header.Set(prefix+"timestamp", seconds)
		header.Set(prefix+"signature", strings.Join(list, " "))
	}
	header.Set("OFAuth-Signature", ofauth)
	return header
}

// only keeps the headers that begin so.
func only(header http.Header, prefix string) http.Header {
	kept := header.Clone()
	maps.DeleteFunc(kept, func(name string, _ []string) bool { return !strings.HasPrefix(name, prefix) })
	return kept
}

// without is a copy that lacks a header; with has it set.
func without(header http.Header, name string) http.Header {
	changed := header.Clone()
	changed.Del(name)
	return changed
}

func with(header http.Header, name, value string) http.Header {
	changed := header.Clone()
	changed.Set(name, value)
	return changed
}

func TestAGoodWebhookIsTaken(t *testing.T) {
	now := time.Now()
	signed := sign(t, "evt_1", now, eventText, newSecret)
	rotating := sign(t, "evt_1", now, eventText, newSecret, oldSecret)
	for name, test := range map[string]struct {
		header  http.Header
		secrets []string
	}{
		"by all its headers":               {signed, []string{newSecret}},
		"by webhook- headers":              {only(signed, "Webhook-"), []string{newSecret}},
		"by svix- headers":                 {only(signed, "Svix-"), []string{newSecret}},
		"by OFAuth-Signature":              {only(signed, "Ofauth-"), []string{newSecret}},
		"by a receiver of two secrets":     {signed, []string{oldSecret, newSecret}},
		"signed twice, for the old secret": {rotating, []string{oldSecret}},
		"signed twice, for the new secret": {rotating, []string{newSecret}},
		"signed twice, by OFAuth, old":     {only(rotating, "Ofauth-"), []string{oldSecret}},
		"beside signatures of other kinds": {with(only(signed, "Webhook-"), "webhook-signature", "v1a,xyz v2,abc v1,! "+signed.Get("webhook-signature")), []string{newSecret}},
		"four minutes old":                 {sign(t, "evt_1", now.Add(-4*time.Minute), eventText, newSecret), []string{newSecret}},
		"four minutes early":               {sign(t, "evt_1", now.Add(4*time.Minute), eventText, newSecret), []string{newSecret}},
	} {
		t.Run(name, func(t *testing.T) {
			event, err := latchkey.VerifyWebhook([]byte(eventText), test.header, test.secrets, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := latchkey.Event{
				ID: "evt_1", Type: latchkey.EventConnectionCreated, EventType: latchkey.EventConnectionCreated,
				Timestamp: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Live: true,
				Data: latchkey.EventData{ClientReferenceID: new("user_1"), Connection: &latchkey.EventConnection{
					ID: "conn_1", PlatformUserID: "u1", Status: latchkey.ConnectionActive, Permissions: []string{"profile:read"},
					UserData: &latchkey.EventUserData{ID: "u1", UserID: "u1", Name: "Ada ünï", Username: "ada"},
				}},
			}
			if diff := cmp.Diff(want, *event); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadWebhookIsRefused(t *testing.T) {
	now := time.Now()
	header := sign(t, "evt_1", now, eventText, newSecret)
	standard, ofauth := only(header, "Webhook-"), only(header, "Ofauth-")
	later := strconv.FormatInt(now.Unix()+1, 10)
	for name, test := range map[string]struct {
		body   string
		header http.Header
		secret string
		want   error
	}{
		"an altered body":                 {eventText + " ", header, newSecret, latchkey.ErrWebhookSignature},
		"an altered body, by svix":        {"{}", only(header, "Svix-"), newSecret, latchkey.ErrWebhookSignature},
		"an altered body, by OFAuth":      {"{}", ofauth, newSecret, latchkey.ErrWebhookSignature},
		"an altered id":                   {eventText, with(header, "webhook-id", "evt_2"), newSecret, latchkey.ErrWebhookSignature},
		"an altered timestamp":            {eventText, with(header, "webhook-timestamp", later), newSecret, latchkey.ErrWebhookSignature},
		"an altered timestamp, by OFAuth": {eventText, with(ofauth, "OFAuth-Signature", "t="+later+ofauth.Get("OFAuth-Signature")[12:]), newSecret, latchkey.ErrWebhookSignature},
		"another's secret":                {eventText, header, otherSecret, latchkey.ErrWebhookSignature},
		"another's secret, by OFAuth":     {eventText, ofauth, otherSecret, latchkey.ErrWebhookSignature},
		"a secret that was rotated away":  {eventText, header, oldSecret, latchkey.ErrWebhookSignature},
		"a signature cut short":           {eventText, with(standard, "webhook-signature", standard.Get("webhook-signature")[:20]), newSecret, latchkey.ErrWebhookUnsigned},
		"a bad one beside a good one":     {eventText, with(header, "webhook-signature", "v1,AAAA"), newSecret, latchkey.ErrWebhookSignature},
		"an old one":                      {eventText, sign(t, "evt_1", now.Add(-6*time.Minute), eventText, newSecret), newSecret, latchkey.ErrWebhookExpired},
		"an early one":                    {eventText, sign(t, "evt_1", now.Add(6*time.Minute), eventText, newSecret), newSecret, latchkey.ErrWebhookExpired},
		"one of the last century":         {eventText, sign(t, "evt_1", time.Unix(0, 0), eventText, newSecret), newSecret, latchkey.ErrWebhookExpired},
		"no headers":                      {eventText, http.Header{}, newSecret, latchkey.ErrWebhookUnsigned},
		"no id":                           {eventText, without(standard, "webhook-id"), newSecret, latchkey.ErrWebhookUnsigned},
		"no timestamp":                    {eventText, without(standard, "webhook-timestamp"), newSecret, latchkey.ErrWebhookUnsigned},
		"no signature":                    {eventText, without(standard, "webhook-signature"), newSecret, latchkey.ErrWebhookUnsigned},
		"a timestamp that is none":        {eventText, with(standard, "webhook-timestamp", "now"), newSecret, latchkey.ErrWebhookUnsigned},
		"a negative timestamp":            {eventText, with(standard, "webhook-timestamp", "-1"), newSecret, latchkey.ErrWebhookUnsigned},
		"a huge timestamp":                {eventText, with(standard, "webhook-timestamp", strings.Repeat("9", 30)), newSecret, latchkey.ErrWebhookUnsigned},
		"an id with a part of the rest":   {eventText, with(standard, "webhook-id", "evt_1."+later), newSecret, latchkey.ErrWebhookUnsigned},
		"an OFAuth header without a time": {eventText, with(ofauth, "OFAuth-Signature", "v1=00"), newSecret, latchkey.ErrWebhookUnsigned},
		"an OFAuth header of a time":      {eventText, with(ofauth, "OFAuth-Signature", "t="+later), newSecret, latchkey.ErrWebhookUnsigned},
	} {
		t.Run(name, func(t *testing.T) {
			event, err := latchkey.VerifyWebhook([]byte(test.body), test.header, []string{test.secret}, 0)
			if !errors.Is(err, test.want) || event != nil {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), test.secret) {
				t.Error("the error has the secret in it")
			}
		})
	}
}

func TestTheToleranceIsTheReceivers(t *testing.T) {
	header := sign(t, "evt_1", time.Now().Add(-30*time.Minute), eventText, newSecret)
	if _, err := latchkey.VerifyWebhook([]byte(eventText), header, []string{newSecret}, time.Hour); err != nil {
		t.Error(err)
	}
	if _, err := latchkey.VerifyWebhook([]byte(eventText), header, []string{newSecret}, time.Minute); !errors.Is(err, latchkey.ErrWebhookExpired) {
		t.Error(err)
	}
}

func TestASecretThatIsNoneIsTold(t *testing.T) {
	header := sign(t, "evt_1", time.Now(), eventText, newSecret)
	for _, secrets := range [][]string{nil, {}, {""}, {"whsec_"}, {newSecret[6:]}, {"whsec_!"}, {"whsec_AAAA"}, {newSecret, "x"}} {
		_, err := latchkey.VerifyWebhook([]byte(eventText), header, secrets, 0)
		if err == nil || errors.Is(err, latchkey.ErrWebhookSignature) || errors.Is(err, latchkey.ErrWebhookUnsigned) {
			t.Errorf("%d secrets: %v, want an error about the secret", len(secrets), err)
		}
	}
}

func TestWhatIsSignedButNoEventIsAnError(t *testing.T) {
	for _, body := range []string{"", "[]", "text", `{"id":7}`} {
		if event, err := latchkey.VerifyWebhook([]byte(body), sign(t, "evt_1", time.Now(), body, newSecret), []string{newSecret}, 0); err == nil {
			t.Errorf("%q was read as %+v", body, event)
		}
	}
}

func FuzzVerifyWebhook(f *testing.F) {
	f.Add(eventText, "evt_1", "1764000000", "v1,AAAA", "t=1,v1=00")
	f.Fuzz(func(t *testing.T, body, id, timestamp, signature, ofauth string) {
		header := http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}, "Ofauth-Signature": {ofauth},
		}
		if event, err := latchkey.VerifyWebhook([]byte(body), header, []string{newSecret}, 0); err == nil || event != nil {
			t.Error("a forged webhook was taken")
		}
	})
}
