package catalogue_test

// domains are the provider's own domains, beside the one that its file names: a
// token must go nowhere else. A variable stands for the customer's own.
var domains = map[string][]string{
	"apple":      {"apple.com"},
	"atlassian":  {"atlassian.com"},
	"auth0":      {"{{domain}}", "auth0.com"},
	"bitbucket":  {"bitbucket.org", "atlassian.com"}, // the owner
	"docusign":   {"{{account_server}}", "{{api_server}}"},
	"discord":    {"discordapp.com"},
	"dropbox":    {"dropboxapi.com"},
	"gitlab":     {"{{host}}", "gitlab.com"},
	"google":     {"googleapis.com"},
	"hubspot":    {"hubapi.com"},
	"intercom":   {"intercom.io"},
	"keycloak":   {"{{host}}", "keycloak.org"},
	"line":       {"line.biz"},
	"mastodon":   {"{{instance}}", "joinmastodon.org"},
	"microsoft":  {"microsoftonline.com"},
	"okta":       {"{{domain}}", "okta.com"},
	"oura":       {"ouraring.com"},
	"salesforce": {"{{host}}", "force.com"},
	"slack":      {"slack.dev"},
	"shopify":    {"myshopify.com", "shopify.dev"},
	"linkedin":   {"linkedin.com"},
	"threads":    {"threads.net"},
	"tiktok":     {"tiktokapis.com"},
	"yahoo":      {"yahoo.com"},
	"youtube":    {"google.com", "googleapis.com"}, // the owner
	"zendesk":    {"zendesk.com"},
	"zitadel":    {"{{domain}}", "zitadel.com"},
	"zoho":       {"{{accounts}}", "zohoapis.com", "zohoapis.eu", "zohoapis.in", "zohoapis.com.au", "zohoapis.jp", "zohoapis.ca", "zohoapis.sa"},
}

// papers are where some publish their documentation: nothing is sent there.
var papers = map[string]string{
	"linkedin":  "learn.microsoft.com",
	"pipedrive": "pipedrive.readme.io",
	"reddit":    "github.com",
	"threads":   "developers.facebook.com",
	"trakt":     "trakt.docs.apiary.io",
	"youtube":   "developers.google.com",
}
