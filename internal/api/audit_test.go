package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/latchtest"
)

// auditRecord is an audit record as the API tells of it.
type auditRecord struct {
	Actor     string         `json:"actor"`
	Action    string         `json:"action"`
	Subject   string         `json:"subject"`
	Detail    jsontext.Value `json:"detail"`
	CreatedAt string         `json:"createdAt"`
	Chain     struct {
		Lane   int    `json:"lane"`
		Number int64  `json:"number"`
		Hash   string `json:"hash"`
	} `json:"chain"`
}

// audit lists the first tenant's records that fit a query.
func (h house) audit(query string, headers ...string) pageOf[auditRecord] {
	h.Helper()
	return latchtest.Decode[pageOf[auditRecord]](h.Server, h.Want(http.StatusOK, "GET", "/v2/audit?"+query, nil, headers...))
}

func TestTheAuditRecordIsListedNewestFirstAndFiltered(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		begin := h.Clock.Now()
		first := h.registered(h.mine.key)
		h.Clock.Move(time.Hour)
		second := h.registered(h.mine.key, "name", "Second")
		h.Want(http.StatusOK, "PATCH", clientApps+"/"+first.ID, `{"name":"Other"}`, "apikey", h.mine.without[latchkey.ScopeLink])
		h.registered(h.mine.live)
		h.registered(h.other.key)
		h.linked("ada") // consent, with a detail of its own

		all := h.audit("limit=100")
		byTime := ""
		for _, record := range all.List {
			if record.CreatedAt > byTime && byTime != "" {
				t.Errorf("%s comes after %s", record.CreatedAt, byTime)
			}
			byTime = record.CreatedAt
			if record.Detail.Kind() != '{' || record.Chain.Number < 1 || len(record.Chain.Hash) != 64 || record.Chain.Lane > 15 {
				t.Errorf("the record %+v", record)
			}
		}
		if len(all.List) != 4 || all.HasMore || all.List[0].Action != "consent.given" || all.List[3].Subject != first.ID {
			t.Errorf("listed %+v", all)
		}
		middle := begin.Add(time.Minute)
		for query, want := range map[string]int{
			"subject=" + first.ID: 2, "subject=" + second.ID: 1, "subject=app_unknown": 0, "action=client_app.created": 2,
			"action=client_app.updated": 1, "action=api_key.revoked": 0, "actor=" + h.mine.keyIDs[h.mine.key]: 2,
			"actor=" + h.mine.keyIDs[h.mine.without[latchkey.ScopeLink]]: 1, "actor=" + h.other.keyIDs[h.other.key]: 0,
			"from=" + url.QueryEscape(middle.Format(time.RFC3339)): 3, "to=" + url.QueryEscape(middle.UTC().Format(time.RFC3339Nano)): 1,
			"from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z": 0, "action=client_app.created&subject=" + first.ID: 1, "actor=&action=": 4,
		} {
			if got := h.audit(query + "&limit=100").List; len(got) != want {
				t.Errorf("%s: %d records, want %d", query, len(got), want)
			}
		}
		one := h.audit("limit=1&offset=2")
		if len(one.List) != 1 || !one.HasMore || one.NextOffset != 3 || one.List[0].Chain != all.List[2].Chain {
			t.Errorf("a page is %+v", one)
		}
		if live := h.audit("", "apikey", h.mine.live); len(live.List) != 1 || live.List[0].Actor != h.mine.keyIDs[h.mine.live] {
			t.Errorf("in the live environment there is %+v", live)
		}
	})
}

func TestTheAuditRecordRefusesAFilterItDoesNotKnow(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for query, field := range map[string]string{
		"from=" + canary: "from", "to=2026-01-31": "to", "from=2026-01-31T10:00:00+02:00": "from", "action=" + canary: "action",
		"actor=%00": "actor", "subject=%ff": "subject", "limit=0": "limit", "offset=-1": "offset",
	} {
		if said := h.refused(h.Call("GET", "/v2/audit?"+query, nil), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
			t.Errorf("%s: field %q", query, said.Details.Field)
		}
	}
}

func TestAnOddRecordHidesNoOther(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for i, detail := range []string{"", "x", "[]", `{"a":1}`} {
		if err := h.App.Store().RecordAudit(t.Context(), latchkey.AuditRecord{
			OrganisationID: h.mine.id, Environment: latchkey.Sandbox, Actor: "x", Action: latchkey.AuditConsent, Subject: "x",
			Detail: detail, CreatedAt: h.Clock.Now().Add(time.Duration(i) * time.Second),
		}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, record := range h.audit("").List {
		got = append(got, string(record.Detail))
	}
	if strings.Join(got, " ") != `{"a":1} {} {} {}` {
		t.Errorf("details %v", got)
	}
}
