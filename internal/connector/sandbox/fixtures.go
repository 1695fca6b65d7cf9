package sandbox

import (
	"encoding/hex"
	"fmt"
	"time"

	"latchkey"
)

// epoch is the day the fixtures look back from. It is fixed, so that the same
// account has the same posts for ever.
var epoch = time.Date(2025, time.January, 1, 9, 0, 0, 0, time.UTC)

// fewestPosts and mostPosts bound what an account has posted.
const (
	fewestPosts = 20
	mostPosts   = 83
)

// sentences are what people of the sandbox post.
var sentences = [...]string{
	"First coffee, then the plan.",
	"New studio light, finally.",
	"Thank you for a thousand kind messages.",
	"Behind the scenes of yesterday's shoot.",
	"Rain all day, so I edited.",
	"Which of the two covers do you like better?",
	"On the train to the coast.",
	"A question and answer session on Friday.",
}

// post is something an account has posted.
type post struct {
	ID        string `json:"id"`
	Text      string `json:"text"`
	Likes     int    `json:"likes"`
	CreatedAt string `json:"createdAt"` // RFC 3339, UTC
}

// postCount returns how many posts the account of a seed has.
func postCount(seed string) int {
	return fewestPosts + int(derive(seed, "posts")[0])%(mostPosts-fewestPosts+1)
}

// postsOf returns the posts of a seed from offset on, newest first, at most
// limit of them, and whether more follow.
func postsOf(seed string, limit, offset int) (list []post, more bool) {
	count := postCount(seed)
	list = []post{}
	for i := offset; i < count && len(list) < limit; i++ {
		sum := derive(seed, fmt.Sprintf("post %d", i))
		list = append(list, post{
			ID:        "post_" + hex.EncodeToString(sum[:8]),
			Text:      sentences[int(sum[8])%len(sentences)],
			Likes:     int(sum[9]) * int(sum[10]) / 16,
			CreatedAt: latchkey.FormatTime(epoch.AddDate(0, 0, -i)),
		})
	}
	return list, offset+len(list) < count
}

// messageID returns the id of what an account says: the same words, the same id.
func messageID(seed, text string) string {
	sum := derive(seed, "message "+text)
	return "msg_" + hex.EncodeToString(sum[:8])
}
