package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// A key file is text: comments, a header line that names the format and the
// SHA-256 of what follows, and Tink's cleartext keyset (binary protobuf) in
// base64 lines.
const (
	fileHeader  = "latchkey-keyring-v1 sha256:"
	fileComment = `# The key ring of a Latchkey server. Whoever has it can read every stored
# credential; without it they are lost. Keep a copy in a safe place, apart from
# the database's backups. Never commit it, mail it, or widen its mode 0600.
`
	lineWidth   = 64      // base64 characters a line
	maxFileSize = 1 << 16 // bytes
)

// errCorrupt is the error of a key file that is not whole.
var errCorrupt = errors.New("it is empty, cut off or changed, or not a Latchkey key file; restore it from its copy")

// formatFile returns a keyset as the text of a key file. The caller zeroes it.
func formatFile(handle *keyset.Handle) ([]byte, error) {
	var raw bytes.Buffer
	defer func() { clear(raw.Bytes()) }()
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&raw)); err != nil {
		return nil, fmt.Errorf("write key ring: %w", err)
	}
	encoded := make([]byte, base64.StdEncoding.EncodedLen(raw.Len()))
	defer clear(encoded)
	base64.StdEncoding.Encode(encoded, raw.Bytes())

	sum := sha256.Sum256(raw.Bytes())
	text := make([]byte, 0, len(fileComment)+len(fileHeader)+2*len(sum)+len(encoded)+len(encoded)/lineWidth+2)
	text = append(text, fileComment...)
	text = append(text, fileHeader...)
	text = hex.AppendEncode(text, sum[:])
	text = append(text, '\n')
	for rest := encoded; len(rest) > 0; {
		line := rest[:min(lineWidth, len(rest))]
		text = append(append(text, line...), '\n')
		rest = rest[len(line):]
	}
	return text, nil
}

// parseFile is formatFile undone. Its errors never repeat what it read.
func parseFile(text []byte) (*keyset.Handle, error) {
	body := text
	for bytes.HasPrefix(body, []byte("#")) {
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	header, body, found := bytes.Cut(body, []byte("\n"))
	sum, isHeader := bytes.CutPrefix(header, []byte(fileHeader))
	if !found || !isHeader {
		return nil, errCorrupt
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	defer clear(raw)
	n, err := base64.StdEncoding.Strict().Decode(raw, body) // newlines are skipped
	if err != nil {
		return nil, errCorrupt
	}
	if actual := sha256.Sum256(raw[:n]); hex.EncodeToString(actual[:]) != string(sum) {
		return nil, errCorrupt
	}
	return parseKeyset(raw[:n])
}

// parseKeyset reads Tink's binary keyset.
func parseKeyset(raw []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil || handle == nil || handle.Len() == 0 || handle.Len() > maxKeys {
		return nil, errCorrupt
	}
	return handle, nil
}
