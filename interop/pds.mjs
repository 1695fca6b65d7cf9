// A real network of the AT Protocol on loopback: the reference PDS and PLC
// directory, without an AppView. It writes one JSON object a line:
//
//	{"ready":{pds, plc, ada:{did, handle, password, appPassword}, eve:{…}}}
//	{"mail":"XXXXX-XXXXX"}     a code that was sent to ada
//	{"sessions":n}             for each DID that it reads from a line
//
// and stops when its input ends.
import { createInterface } from 'node:readline'
import { TestNetworkNoAppView } from '@atproto/dev-env'

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

const network = await TestNetworkNoAppView.create({})
const { ctx, url } = network.pds

const call = async (method, body, token) => {
  const answer = await fetch(`${url}/xrpc/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const create = async (name) => {
  const password = `${name} & a "long" password`
  const made = await call('com.atproto.server.createAccount', {
    handle: `${name}.test`, email: `${name}@example.com`, password,
  })
  const app = await call('com.atproto.server.createAppPassword', { name: 'interop' }, made.accessJwt)
  return { did: made.did, handle: `${name}.test`, password, appPassword: app.password }
}

// What would be sent by e-mail is said instead.
ctx.mailer.transporter.sendMail = async (mail) => {
  const code = `${mail.html ?? ''} ${mail.text ?? ''}`.match(/\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/)
  if (code) say({ mail: code[0] })
}

const ada = await create('ada')
const eve = await create('eve')

// The second factor, where this version of the PDS has one.
let secondFactor = false
if (typeof ctx.accountManager.updateAccountEmailAuthFactor === 'function') {
  await ctx.accountManager.updateAccountEmailAuthFactor({ did: ada.did, email: 'ada@example.com', emailAuthFactor: true })
  secondFactor = true
}

say({ ready: { pds: url, plc: network.plc.url, secondFactor, ada, eve } })

// A line of input is a DID: how many sessions does that account have?
const lines = createInterface({ input: process.stdin })
lines.on('line', async (did) => {
  const { db } = ctx.accountManager.db
  const tokens = await db.selectFrom('refresh_token').where('did', '=', did).where('nextId', 'is', null).selectAll().execute()
  say({ sessions: tokens.length })
})
lines.on('close', async () => {
  await network.close()
  process.exit(0)
})
