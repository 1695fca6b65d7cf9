import type { FailureCode } from "./session.js";

/**
 * A step of a session. pre-login: which provider. authorization: consent.
 * redirect: send the person to the url. wait: look again after retryAfter.
 * confirm: the backend confirms.
 */
export type StepName = "pre-login" | "authorization" | "login" | "2fa" | "redirect" | "wait" | "confirm";

/** What a session wants next. A whitelabel app draws it and answers with submit. */
export interface Step {
  name: StepName;
  /** Goes into the submission. */
  version: number;
  fields?: Field[];
  /** Second factors to choose from. */
  methods?: string[];
  message?: string;
  /** Another code can be asked for. */
  canResend?: boolean;
  attemptsLeft?: number;
  /** Why the last input did not do. */
  refused?: FailureCode;
  permissions?: Permission[];
  /** Of the consent, to be submitted with it. */
  textVersion?: string;
  /** At authorization. */
  consent?: Consent;
  /** At redirect. */
  url?: string;
  /** Seconds, at wait. */
  retryAfter?: number;
}

/** How a field is drawn. code: digits, typed once. checkbox: a box to tick, "true" when it is, else not sent. */
export type FieldType = "text" | "password" | "code" | "checkbox";

/** One input of a step. */
export interface Field {
  name: string;
  type: FieldType;
  label: string;
  /** An HTML autocomplete token. */
  autocomplete?: string;
  required: boolean;
}

/** Something a connection lets the app do, and why, in words for the person who is asked. */
export interface Permission {
  /** For example profile:read. */
  name: string;
  purpose: string;
}

/** What the person agrees to, in plain words already filled in. */
export interface Consent {
  locale: string;
  app: ConsentApp;
  provider: ConsentProvider;
  heading: string;
  /** Above the permissions. */
  listHeading: string;
  promises: string[];
}

/** Who asks. */
export interface ConsentApp {
  name: string;
  domain: string;
  logoUrl: string | null;
}

/** Whose account is linked. */
export interface ConsentProvider {
  id: string;
  name: string;
  domain: string;
}

/** Tells of a wanted second factor. */
export interface TwoFactorState {
  /** phone, app, email, face, forceFace, push and what else a provider has. */
  options: string[];
  phoneCode?: PhoneCode;
  faceCode?: FaceCode;
  phoneLast4?: string;
}

/** What is left of a code sent by phone or e-mail. */
export interface PhoneCode {
  requestAttemptsLimit: number;
  requestAttemptsLeft: number;
  checkAttemptsLimit?: number;
  checkAttemptsLeft?: number;
  expirationDate?: string;
  expirationSeconds?: number;
  lastSentDate?: string;
}

/** What is left of face checks. */
export interface FaceCode {
  requestAttemptsLimit: number;
  requestAttemptsLeft: number;
}

/** What a submission asks for; continue by default. */
export type Action = "continue" | "approve" | "deny" | "resend" | "back" | "cancel" | "poll";

/** Answers a step. */
export interface Submission {
  /** Of the step that was shown. */
  version: number;
  fields?: Record<string, string>;
  action?: Action;
  /** Of a step with methods. */
  method?: string;
}
