package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"latchkey"
)

// The names people of the sandbox are given. Their numbers divide 256, so that
// every name is as likely as any other.
var (
	firstNames = [...]string{
		"Ada", "Amara", "Anouk", "Bela", "Carmen", "Dario", "Elif", "Emil",
		"Farah", "Goran", "Hana", "Ines", "Ivo", "Jonas", "Kaia", "Leon",
		"Lucia", "Malik", "Mira", "Nadia", "Noor", "Oskar", "Paula", "Quentin",
		"Rosa", "Samir", "Selma", "Tariq", "Uma", "Vera", "Yusuf", "Zoe",
	}
	lastNames = [...]string{
		"Adler", "Bakker", "Costa", "Dahl", "Eriksen", "Fontaine", "Garcia", "Haddad",
		"Ito", "Jensen", "Kowalski", "Laurent", "Moreau", "Nakamura", "Okafor", "Petrov",
		"Quispe", "Rossi", "Silva", "Tanaka", "Ueda", "Varga", "Weber", "Xu",
		"Yilmaz", "Zeman", "Almeida", "Berg", "Castillo", "Duarte", "Engel", "Novak",
	}
)

// person is who an account belongs to, wholly derived from its seed. It is
// also the answer of /me.
type person struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Username    string      `json:"username"`
	Avatar      *string     `json:"avatar"` // always null: nobody's picture is made up
	AccountType accountType `json:"accountType"`
	JoinedAt    string      `json:"joinedAt"` // RFC 3339, UTC
}

// personOf returns the person of a seed.
func personOf(seed string, kind accountType) person {
	sum := derive(seed, "person")
	first := firstNames[int(sum[8])%len(firstNames)]
	last := lastNames[int(sum[9])%len(lastNames)]
	number := binary.BigEndian.Uint16(sum[10:12]) % 1000
	days := binary.BigEndian.Uint16(sum[12:14]) % 2000
	return person{
		ID:          strconv.FormatUint(binary.BigEndian.Uint64(sum[:8])>>1, 10),
		Name:        first + " " + last,
		Username:    strings.ToLower(first+last) + fmt.Sprintf("%03d", number),
		AccountType: kind,
		JoinedAt:    latchkey.FormatTime(epoch.AddDate(0, 0, -int(days))),
	}
}

// userData returns the person in the words of a connection.
func (p person) userData() latchkey.UserData {
	return latchkey.UserData{ID: p.ID, Name: p.Name, Username: p.Username}
}

// derive returns 32 bytes that belong to a seed and a purpose.
func derive(seed, purpose string) [sha256.Size]byte {
	return sha256.Sum256([]byte("sandbox " + purpose + "\x00" + seed))
}
