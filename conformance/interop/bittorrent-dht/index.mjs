// Starts bittorrent-dht as a plain Mainline node, for the conformance suite to judge, and uses it as a client, to see
// whether what it stores can be read by others and the other way round.
//
// It adds nothing to the package but the Ed25519 verifier that its README asks for.
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { parseArgs } from 'node:util'
import bencode from 'bencode'
import DHT from 'bittorrent-dht'

const usage = `usage: node index.mjs COMMAND [flags] [arguments]

  node                      run a node until SIGTERM; prints "listening ADDR" when it answers
  put VALUE                 store VALUE as a byte string, mutable with --seed; prints the target
  get TARGET                print the item as bencoding, then "seq N"
  announce INFOHASH PORT    announce a peer at PORT; prints "announced N", the nodes that took it
  peers INFOHASH            print the peers found, one address a line

flags:
  --listen ADDRESS          of the socket, IPv4 only (127.0.0.1:0)
  --bootstrap ADDRESSES     of the first nodes, by commas; none: start alone
  --id HEX                  node id; none: random, as the package does
  --seed HEX                put: Ed25519 seed; makes the item mutable
  --salt TEXT               put, get: salt of the mutable item
  --seq NUMBER              put: sequence number of the mutable item (1)
`

class UsageError extends Error {}

const commands = {
  node: { arguments: 0, run: node },
  put: { arguments: 1, run: put },
  get: { arguments: 1, run: get },
  announce: { arguments: 2, run: announce },
  peers: { arguments: 1, run: peers }
}

try {
  await main(process.argv.slice(2))
} catch (err) {
  console.error('bittorrent-dht:', err.message)
  process.exitCode = err instanceof UsageError ? 2 : 1
}

async function main (args) {
  if (args.includes('--help')) return process.stdout.write(usage)
  const { values: flags, positionals } = parseFlags(args)
  const [name, ...rest] = positionals
  if (!Object.hasOwn(commands, name ?? '')) throw new UsageError(`unknown command ${name ?? ''}\n${usage}`)
  const command = commands[name]
  if (rest.length !== command.arguments) {
    throw new UsageError(`${name} takes ${command.arguments} arguments, got ${rest.length}`)
  }
  const dht = await start(flags)
  try {
    await command.run(dht, flags, ...rest)
  } finally {
    await new Promise(resolve => dht.destroy(resolve))
  }
}

function parseFlags (args) {
  const text = (value) => ({ type: 'string', default: value })
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        listen: text('127.0.0.1:0'),
        bootstrap: text(''),
        id: text(''),
        seed: text(''),
        salt: text(''),
        seq: text('1')
      }
    })
  } catch (err) {
    throw new UsageError(err.message)
  }
}

// start opens the node and its socket. The package's sockets are udp4, and its contacts have four bytes.
function start (flags) {
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(flags.listen) ?? []
  if (host === undefined) throw new UsageError(`bad IPv4 address ${flags.listen}`)
  const bootstrap = flags.bootstrap.split(',').filter(Boolean)
  const dht = new DHT({
    nodeId: flags.id === '' ? undefined : hex(flags.id, 20, '--id'),
    bootstrap: bootstrap.length > 0 ? bootstrap : false,
    verify: verifyItem
  })
  return new Promise((resolve, reject) => {
    dht.once('error', reject)
    dht.listen(Number(port), host, () => resolve(dht))
  })
}

async function node (dht) {
  const { address, port } = dht.address()
  console.log(`listening ${address}:${port}`)
  await new Promise(resolve => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

async function put (dht, flags, text) {
  const item = { v: Buffer.from(text) }
  if (flags.seed !== '') {
    const key = privateKey(hex(flags.seed, 32, '--seed'))
    item.k = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url')
    item.seq = Number(flags.seq)
    if (!Number.isSafeInteger(item.seq)) throw new UsageError(`bad sequence number ${flags.seq}`)
    item.sign = bytes => sign(null, bytes, key)
    if (flags.salt !== '') item.salt = Buffer.from(flags.salt)
  }
  const target = await done(cb => dht.put(item, cb))
  console.log(target.toString('hex'))
}

async function get (dht, flags, target) {
  const opts = flags.salt === '' ? {} : { salt: Buffer.from(flags.salt) }
  const item = await done(cb => dht.get(hex(target, 20, 'target'), opts, cb))
  if (item === null) throw new Error('value not found')
  process.stdout.write(Buffer.concat([bencode.encode(item.v), Buffer.from(`\nseq ${item.seq ?? 0}\n`)]))
}

async function announce (dht, flags, infoHash, port) {
  if (!(Number(port) > 0 && Number(port) < 65536)) throw new UsageError(`bad port ${port}`)
  const n = await done(cb => dht.announce(hex(infoHash, 20, 'info-hash'), Number(port), cb))
  console.log(`announced ${n}`)
}

async function peers (dht, flags, infoHash) {
  const found = new Set()
  dht.on('peer', peer => found.add(`${peer.host}:${peer.port}`))
  await done(cb => dht.lookup(hex(infoHash, 20, 'info-hash'), cb))
  if (found.size === 0) throw new Error('no peers found')
  for (const peer of [...found].sort()) console.log(peer)
}

// done turns the package's callbacks into a promise of their second argument.
function done (call) {
  return new Promise((resolve, reject) => call((err, value) => err ? reject(err) : resolve(value)))
}

// verifyItem is the package's verify option. It answers false for whatever is not 64 bytes by a key of 32: what the
// package does with a throw from here would be ours, not its own.
function verifyItem (signature, bytes, key) {
  if (!Buffer.isBuffer(signature) || signature.length !== 64) return false
  if (!Buffer.isBuffer(key) || key.length !== 32) return false
  try {
    const x = key.toString('base64url')
    return verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature)
  } catch {
    return false
  }
}

// privateKey wraps an RFC 8032 seed in the fixed bytes of its PKCS #8 form (RFC 8410, section 7).
function privateKey (seed) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function hex (text, size, what) {
  if (!/^[0-9a-f]*$/i.test(text) || text.length !== 2 * size) throw new UsageError(`${what} is not ${2 * size} hex digits`)
  return Buffer.from(text, 'hex')
}
