// Package tenanttest calls every route of the API as everybody who must not,
// about everything that is somebody else's, under every spelling of its id.
//
//	route × role × whose object × spelling of its id ─▶ handler ─▶ no 2xx, none of the other's data
package tenanttest
