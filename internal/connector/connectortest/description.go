package connectortest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
)

var (
	idPattern     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
)

// checkDescription checks a provider's fixed facts.
func checkDescription(c connector.Connector) []error {
	var errs []error
	d := c.Describe()
	if !idPattern.MatchString(d.ID) {
		errs = append(errs, fmt.Errorf("id %q does not match %s", d.ID, idPattern))
	}
	if strings.TrimSpace(d.Name) == "" || len(d.Name) > 64 {
		errs = append(errs, fmt.Errorf("name %q: want 1 to 64 bytes that show", d.Name))
	}
	if !domainPattern.MatchString(d.Domain) {
		errs = append(errs, fmt.Errorf("domain %q is not a host name", d.Domain))
	}
	if len(d.Environments) == 0 {
		errs = append(errs, errors.New("no environments"))
	}
	for _, environment := range d.Environments {
		if environment != latchkey.Sandbox && environment != latchkey.Live {
			errs = append(errs, fmt.Errorf("unknown environment %q", environment))
		}
	}
	if again := c.Describe(); again.ID != d.ID || !bytes.Equal(again.Logo, d.Logo) {
		errs = append(errs, errors.New("a second description differs from the first"))
	}
	return append(errs, checkLogo(d.Logo)...)
}

// checkLogo checks that there is a logo, and that it can do nothing but be drawn.
func checkLogo(logo []byte) []error {
	if len(logo) == 0 {
		return []error{errors.New("there is no logo")}
	}
	if err := connector.CheckLogo(string(logo)); err != nil {
		return []error{fmt.Errorf("logo: %w", err)}
	}
	return nil
}
