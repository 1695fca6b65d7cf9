package oauth2

import _ "embed" // for the logo

// plainLogo stands in where a file brings none.
//
//go:embed logo.svg
var plainLogo []byte
