// An OpenID provider by strangers, certified by the OpenID Foundation: npm's
// oidc-provider. PEER says which clients there are. It prints its address, and
// lets whoever is sent there in, as the one person or the one that
// the header X-Person names.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const { clients } = JSON.parse(process.env.PEER);
const person = { sub: 'person-1', name: 'Jo Doe', preferred_username: 'jo', picture: 'https://example.com/jo.png' };

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'ES256', 'EdDSA'],
      idTokenSigningAlgValues: ['RS256', 'ES256'],
    },
    cookies: { keys: ['a key of a test'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'picture'] },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
    },
    rotateRefreshToken: true,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...person, sub: id }) }),
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      return answer(request, response);
    }
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    let result = { login: { accountId: request.headers['x-person'] || person.sub } };
    if (prompt.name === 'consent') {
      const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  });
  console.log(issuer);
});
