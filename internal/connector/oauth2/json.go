package oauth2

// object is a JSON object. The other values of a JSON tree are []any, string,
// number, bool and nil.
type object map[string]any

// number is a JSON number as it was written, so that a long id keeps every
// digit.
type number string
