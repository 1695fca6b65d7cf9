/**
 * Returns the runtime's Web Cryptography. Node 18 has it behind a module; the
 * module's name is put together so that no bundler looks for it elsewhere.
 */
export async function webCrypto(): Promise<Crypto> {
  if (globalThis.crypto?.subtle) return globalThis.crypto;
  const name = ["node", "crypto"].join(":");
  return ((await import(name)) as { webcrypto: Crypto }).webcrypto;
}
