package catalogue

import "slices"

// Permission is a name by which apps ask for a part of an account. The same
// name means the same at every provider; what a provider can't give has no name
// there.
type Permission struct {
	Name    string
	Meaning string // for people, without a full stop
}

// permissions are the names that the files use, sorted.
var permissions = []Permission{
	{"accounting:read", "invoices, bills and bookings of a company"},
	{"accounting:write", "make and change invoices, bills and bookings"},
	{"activity:read", "what the person did: workouts, rides, coding time"},
	{"activity:write", "record activities"},
	{"analytics:read", "figures on the account and what it published"},
	{"boards:read", "boards and what is on them"},
	{"boards:write", "make and change boards"},
	{"calendar:read", "calendars and their events"},
	{"calendar:write", "make and change events"},
	{"campaigns:read", "campaigns that the person runs"},
	{"comments:read", "comments and replies"},
	{"comments:write", "write comments and replies"},
	{"communities:read", "the communities that the person belongs to"},
	{"contacts:read", "contacts, customers or people of a CRM"},
	{"contacts:write", "make and change contacts"},
	{"deals:read", "deals of a CRM"},
	{"deals:write", "make and change deals"},
	{"designs:read", "design files"},
	{"documents:read", "documents to be signed, and their state"},
	{"documents:write", "send documents to be signed"},
	{"email:read", "the e-mail address"},
	{"files:read", "files and folders"},
	{"files:write", "make and change files"},
	{"followers:read", "whom the person follows, and who follows them"},
	{"followers:write", "follow and unfollow"},
	{"forms:read", "forms"},
	{"forms:write", "make and change forms"},
	{"groups:read", "groups of an organisation's directory"},
	{"health:read", "what the body did: sleep, heart rate, weight"},
	{"history:read", "what the person played or watched"},
	{"issues:read", "issues of projects"},
	{"issues:write", "make and change issues"},
	{"linked-accounts:read", "the person's accounts elsewhere"},
	{"mail:read", "e-mail"},
	{"mail:write", "send e-mail"},
	{"meetings:read", "meetings"},
	{"meetings:write", "make and change meetings"},
	{"members:read", "members and supporters of the person's own community"},
	{"messages:read", "messages"},
	{"messages:write", "send messages"},
	{"music:read", "the music that the person keeps"},
	{"music:write", "change the music that the person keeps"},
	{"orders:read", "orders of a shop"},
	{"orders:write", "make and change orders"},
	{"payments:read", "payments that were taken"},
	{"payments:write", "take and refund payments"},
	{"playlists:read", "playlists"},
	{"playlists:write", "make and change playlists"},
	{"posts:read", "posts"},
	{"posts:write", "publish posts"},
	{"products:read", "products of a shop"},
	{"products:write", "make and change products"},
	{"profile:read", "who the person is"},
	{"profile:write", "change the profile"},
	{"records:read", "records of a database, CRM or content system"},
	{"records:write", "make and change records"},
	{"repositories:read", "repositories of code"},
	{"repositories:write", "push to repositories and change them"},
	{"responses:read", "answers that forms were given"},
	{"servers:read", "servers and their infrastructure"},
	{"servers:write", "make, change and delete servers"},
	{"sites:read", "websites and their pages"},
	{"sites:write", "change websites and publish them"},
	{"subscriptions:read", "what the person subscribes to, or who subscribes"},
	{"tasks:read", "tasks and projects"},
	{"tasks:write", "make and change tasks"},
	{"tickets:read", "tickets of customers"},
	{"tickets:write", "make, answer and close tickets"},
	{"users:read", "people of an organisation's directory"},
	{"videos:read", "the person's videos"},
	{"videos:write", "publish videos"},
}

// Permissions returns every permission's name and meaning, sorted by name.
func Permissions() []Permission { return slices.Clone(permissions) }
