package link

// RedirectFor is the rule of redirect URIs, for tests that try very many.
var RedirectFor = redirectFor
