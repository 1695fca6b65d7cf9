package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/web"
)

// auditBody is one line of the audit record as the API tells of it.
type auditBody struct {
	Actor     string               `json:"actor"`
	Action    latchkey.AuditAction `json:"action"`
	Subject   string               `json:"subject"`
	Detail    jsontext.Value       `json:"detail"` // an object
	CreatedAt string               `json:"createdAt"`
	Chain     latchkey.ChainLink   `json:"chain"`
}

func describeRecord(record latchkey.AuditRecord) auditBody {
	detail := jsontext.Value(record.Detail)
	if !detail.IsValid() || detail.Kind() != '{' { // one odd record must not hide the others
		detail = jsontext.Value("{}")
	}
	return auditBody{
		Actor: record.Actor, Action: record.Action, Subject: record.Subject, Detail: detail,
		CreatedAt: latchkey.FormatTime(record.CreatedAt), Chain: record.Chain,
	}
}

// auditList answers GET /v2/audit.
func (d *door) auditList(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter := latchkey.AuditFilter{
		Actor: query.Get("actor"), Action: latchkey.AuditAction(query.Get("action")), Subject: query.Get("subject"),
	}
	var err error
	if filter.Limit, filter.Offset, err = web.Paging(r); err != nil {
		return err
	}
	if filter.From, err = web.Time(r, "from"); err != nil {
		return err
	}
	if filter.To, err = web.Time(r, "to"); err != nil {
		return err
	}
	records, more, err := d.config.Accounts.Records(r.Context(), web.Caller(r.Context()), filter)
	if err != nil {
		return err
	}
	list := make([]auditBody, len(records))
	for i, record := range records {
		list[i] = describeRecord(record)
	}
	return web.WriteList(w, list, more, filter.Offset)
}
