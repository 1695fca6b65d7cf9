package account

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"latchkey"
)

// Records returns what was done in the caller's environment that fits the
// filter, newest first, and whether there is more. The filter's organisation
// and environment are the caller's, whatever it says.
func (a *Account) Records(ctx context.Context, caller latchkey.Caller, filter latchkey.AuditFilter,
) ([]latchkey.AuditRecord, bool, error) {
	if filter.Action != "" && !slices.Contains(latchkey.AuditActions(), filter.Action) {
		return nil, false, latchkey.InvalidField("action", "must be an action that is recorded, like client_app.updated")
	}
	for _, text := range []struct{ field, value string }{{"actor", filter.Actor}, {"subject", filter.Subject}} {
		if !utf8.ValidString(text.value) || strings.Contains(text.value, "\x00") { // PostgreSQL has no such text
			return nil, false, latchkey.InvalidField(text.field, "must be text in UTF-8 without NUL")
		}
	}
	filter.OrganisationID, filter.Environment = caller.OrganisationID, caller.Environment
	return a.config.Records.Audit(ctx, filter)
}
