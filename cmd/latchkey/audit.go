package main

import (
	"errors"
	"fmt"

	"latchkey/internal/app"
)

// auditCommand is `latchkey audit`.
type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Recompute the chains of the audit record, and say where one is broken."`
}

// auditVerifyCommand is `latchkey audit verify`.
type auditVerifyCommand struct {
	Config string `help:"Configuration file." default:"latchkey.yaml" type:"existingfile"`
}

// Run prints what the chains cover, and fails when one is broken.
func (c auditVerifyCommand) Run(terminal *terminal) error {
	config, err := app.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	reports, err := app.VerifyAudit(terminal.ctx, config)
	broken := 0
	for _, report := range reports {
		verdict := "sound"
		if report.Err != nil {
			verdict = "BROKEN: " + report.Err.Error()
			broken++
		}
		_, _ = fmt.Fprintf(terminal.out, "%-28s %8d records  %s\n", report.Organisation.ID, report.Records, verdict)
	}
	if broken > 0 {
		err = errors.Join(err, fmt.Errorf("the audit of %d of %d organisations is broken", broken, len(reports)))
	}
	return err
}
