// Measures hyperdht as Kith's own benchmark measures Kith: from a friend's public key to the first message echoed.
//
//     (cd bench/node && npm ci) && node bench/node/hyperdht.js --runs 20
//
// Three processes on loopback: a DHT of 40 nodes; the friend, who echoes; and this one, the caller, who knows one node of the DHT and
// the friend's public key. Every sample has a new node and a new key on either side, so nobody can remember a route. A sample ends when
// the last of the 256 bytes is back. The variants take turns in rounds, so that whatever else the machine does weighs on all of them.
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const nodes = 40
const host = '127.0.0.1' // nothing here asks a name server or the package's own bootstrap nodes
const size = 256 // bytes of a message
const echoes = 200
const warmups = 20 // until the compiler has seen everything: after 3 the medians are up to twice as long
const attempts = 1000
const patience = 15 * 60 * 1000 // milliseconds, for everything

const usage = `usage: node hyperdht.js [flags]

  --runs N       samples of each variant (20), after ${warmups} rounds that do not count
  --open         both nodes are told that no firewall is before them, and do not find out; otherwise the package's defaults

Standard output is a line of JSON for each variant; times are milliseconds:

  caller-cold    the friend has announced; from before the caller makes its node
  warm           the friend has announced, and the caller's node has a table; from before it connects
  both-cold      from before both make their nodes
  rtt            a message and its echo on a connection that is open, the median of ${echoes} on each of the warm ones

A caller whom the package tells that a connection has failed tries again at once, and the time goes on; "retries" counts that.
`

class UsageError extends Error {}

const role = process.env.KITH_BENCH_ROLE // of a child
try {
  const { default: DHT } = await load('hyperdht')
  if (role === 'network') await network()
  else if (role === 'friend') friend(DHT)
  else await compare(DHT, flags())
} catch (err) {
  console.error('hyperdht:', err instanceof UsageError ? err.message : err)
  process.exit(err instanceof UsageError ? 2 : 1)
}

async function load (name) {
  try {
    return await import(name)
  } catch (err) {
    if (err.code !== 'ERR_MODULE_NOT_FOUND') throw err
    throw new UsageError(`the package is not installed: (cd ${fileURLToPath(new URL('.', import.meta.url))} && npm ci)`)
  }
}

function flags () {
  let values
  try {
    values = parseArgs({
      options: { runs: { type: 'string', default: '20' }, open: { type: 'boolean' }, help: { type: 'boolean' } }
    }).values
  } catch (err) {
    throw new UsageError(`${err.message}\n${usage}`)
  }
  if (values.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError(`--runs ${values.runs} is no number of runs`)
  return { runs, open: values.open === true }
}

// network is a child: nodes that are in the DHT for good, made as the package's own tests make them.
async function network () {
  process.once('disconnect', () => process.exit())
  const { default: createTestnet } = await load('hyperdht/testnet.js')
  const { bootstrap } = await createTestnet(nodes, { host })
  process.send(bootstrap)
}

// friend is a child. It is sent what to start, says when it has announced, and stops when it is sent null.
function friend (DHT) {
  let node
  process.once('disconnect', () => process.exit())
  process.on('message', async (m) => {
    if (m === null) {
      await node.destroy({ force: true })
    } else {
      node = new DHT({ host, ...m.options })
      const server = node.createServer((socket) => {
        socket.on('error', () => {}) // the caller ends without a goodbye
        socket.on('data', (b) => socket.write(b))
      })
      await server.listen(DHT.keyPair(Buffer.from(m.seed, 'hex')))
    }
    process.send(true)
  })
  process.send(true)
}

// start starts a child and returns it with the first thing that it says.
async function start (name) {
  const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, KITH_BENCH_ROLE: name }, stdio: ['ignore', 2, 2, 'ipc'] })
  return [child, await said(child)]
}

// said returns the next thing that a child says.
function said (child) {
  return new Promise((resolve, reject) => {
    const exit = (code) => reject(new Error(`a child ended with ${code}`))
    child.once('exit', exit)
    child.once('message', (m) => {
      child.off('exit', exit)
      resolve(m)
    })
  })
}

async function compare (DHT, { runs, open }) {
  setTimeout(() => {
    console.error('hyperdht: not done in %d s', patience / 1000)
    process.exit(1)
  }, patience)
  console.error('hyperdht: load of the last minute before: %s', loadavg()[0].toFixed(2))
  const [, bootstrap] = await start('network')
  const [peer] = await start('friend')
  const options = open ? { bootstrap, firewalled: false } : { bootstrap }

  const variants = ['caller-cold', 'warm', 'both-cold']
  const samples = Object.fromEntries([...variants, 'rtt'].map((variant) => [variant, []]))
  const retries = Object.fromEntries(Object.keys(samples).map((variant) => [variant, 0]))
  for (let round = -warmups; round < runs; round++) {
    for (const variant of variants) {
      const s = await sample(DHT, variant, options, peer)
      if (round < 0) continue
      samples[variant].push(s.first)
      retries[variant] += s.retries
      if (variant === 'warm') samples.rtt.push(median(s.rtts))
    }
  }

  const { version } = JSON.parse(readFileSync(new URL('node_modules/hyperdht/package.json', import.meta.url)))
  for (const [variant, all] of Object.entries(samples)) {
    const figures = { median_ms: rounded(median(all)), samples: all.map(rounded), retries: retries[variant] }
    console.log(JSON.stringify({ rival: 'hyperdht', version, variant, ...figures }))
  }
  process.exit(0) // the children see it and end
}

async function sample (DHT, variant, options, peer) {
  const message = Buffer.alloc(size, 'kith')
  const { publicKey, seed } = keys(DHT)
  const announce = () => {
    peer.send({ options, seed: seed.toString('hex') })
    return said(peer)
  }
  if (variant !== 'both-cold') await announce()
  let node
  if (variant === 'warm') {
    node = new DHT({ host, ...options })
    await node.fullyBootstrapped()
  }

  const begun = performance.now()
  const announced = variant === 'both-cold' ? announce() : null
  node ??= new DHT({ host, ...options })
  let socket
  let retries = 0
  for (;; retries++) {
    try {
      socket = node.connect(publicKey)
      await echo(socket, message)
      break
    } catch (err) {
      if (retries === attempts) throw err
      // Who is not there yet is not found, or found by nodes that cannot pass a handshake on. Anything else is worth a word.
      if (variant !== 'both-cold' || !['PEER_NOT_FOUND', 'PEER_CONNECTION_FAILED'].includes(err.code)) {
        console.error('hyperdht: %s, after %d ms: %s', variant, rounded(performance.now() - begun), err.message)
      }
    }
  }
  const first = performance.now() - begun

  const rtts = []
  for (let i = 0; variant === 'warm' && i < echoes; i++) {
    const sent = performance.now()
    await echo(socket, message)
    rtts.push(performance.now() - sent)
  }
  await announced
  socket.on('error', () => {})
  await node.destroy({ force: true })
  peer.send(null)
  await said(peer)
  return { first, rtts, retries }
}

function keys (DHT) {
  const seed = DHT.keyPair().secretKey.subarray(0, 32)
  return { seed, publicKey: DHT.keyPair(seed).publicKey }
}

// echo sends a message and waits until as many bytes are back.
function echo (socket, message) {
  return new Promise((resolve, reject) => {
    let missing = message.length
    const end = (f, v) => {
      socket.off('data', data)
      socket.off('error', failed)
      f(v)
    }
    const data = (b) => {
      missing -= b.length
      if (missing <= 0) end(resolve)
    }
    const failed = (err) => end(reject, err)
    socket.on('data', data)
    socket.on('error', failed)
    socket.write(message)
  })
}

function median (values) {
  const s = values.toSorted((a, b) => a - b)
  return (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2
}

function rounded (ms) {
  return Number(ms.toFixed(3))
}
