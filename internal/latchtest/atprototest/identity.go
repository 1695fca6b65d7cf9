package atprototest

import (
	"net/http"
	"strings"
)

// SetRecords replaces the TXT records of a name; none removes it.
func (s *Server) SetRecords(name string, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, name)
	if len(texts) > 0 {
		s.records[name] = texts
	}
}

// SetDocument puts a text in the place of a DID's document.
func (s *Server) SetDocument(did, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.documents[did] = text
}

// dnsAnswer is the JSON form of an answer
// (developers.google.com/speed/public-dns/docs/doh/json).
type dnsAnswer struct {
	Status   int
	Question []dnsRecord
	Answer   []dnsRecord `json:",omitempty"`
}

// dnsRecord is a question or an answer.
type dnsRecord struct {
	Name string `json:"name"`
	Type int    `json:"type"`
	TTL  int    `json:"TTL,omitzero"`
	Data string `json:"data,omitzero"`
}

// serveDNS answers for TXT records.
func (s *Server) serveDNS(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if r.Header.Get("Accept") != "application/dns-json" || r.URL.Query().Get("type") != "TXT" {
		http.Error(w, "want application/dns-json and TXT", http.StatusBadRequest)
		return
	}
	answer := dnsAnswer{Question: []dnsRecord{{Name: name, Type: 16}}}
	for _, text := range s.records[name] {
		answer.Answer = append(answer.Answer, dnsRecord{Name: name, Type: 16, TTL: 300, Data: `"` + text + `"`})
	}
	if len(answer.Answer) == 0 {
		answer.Status = 3 // NXDOMAIN
	}
	write(w, http.StatusOK, "application/dns-json", answer)
}

// document is a DID document
// (atproto.com/specs/did, "DID Documents").
type document struct {
	Context     []string  `json:"@context"`
	ID          string    `json:"id"`
	AlsoKnownAs []string  `json:"alsoKnownAs"`
	Service     []service `json:"service"`
}

// service is one of a document's services.
type service struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Endpoint string `json:"serviceEndpoint"`
}

// documentOf returns an account's own document.
func (s *Server) documentOf(a *account) document {
	return document{
		Context: []string{"https://www.w3.org/ns/did/v1"}, ID: a.did, AlsoKnownAs: []string{"at://" + a.Handle},
		Service: []service{{ID: "#atproto_pds", Type: "AtprotoPersonalDataServer", Endpoint: s.URL}},
	}
}

// serveDocument answers as the PLC directory.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request) {
	did := r.PathValue("did")
	if text, ok := s.documents[did]; ok {
		w.Header().Set("Content-Type", "application/did+ld+json")
		_, _ = w.Write([]byte(text))
		return
	}
	found := s.accounts[strings.ToLower(did)]
	if found == nil {
		write(w, http.StatusNotFound, "application/json", map[string]string{"message": "DID not registered: " + did})
		return
	}
	write(w, http.StatusOK, "application/did+ld+json", s.documentOf(found))
}
