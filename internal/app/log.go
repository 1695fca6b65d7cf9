package app

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLog returns the configured log.
func NewLog(config Config, out io.Writer) (*slog.Logger, error) {
	level := slog.LevelInfo
	if config.LogLevel != "" {
		if err := level.UnmarshalText([]byte(config.LogLevel)); err != nil {
			return nil, fmt.Errorf("log_level must be debug, info, warn or error")
		}
	}
	options := &slog.HandlerOptions{Level: level}
	switch config.LogFormat {
	case "", "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	}
	return nil, fmt.Errorf("log_format must be json or text")
}
