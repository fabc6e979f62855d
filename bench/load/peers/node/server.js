// The same task as a small gateway in Node: node server.js PORT REDIS_PORT UPSTREAM_PORT
const http = require('node:http');
const express = require('express');
const proxies = require('http-proxy');
const { createClient } = require('redis');

const [port, redisPort, upstreamPort] = process.argv.slice(2).map(Number);
const redis = createClient({ url: `redis://127.0.0.1:${redisPort}` });
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const proxy = proxies.createProxyServer({ target: `http://127.0.0.1:${upstreamPort}`, agent, xfwd: true });
proxy.on('error', (error, request, response) => response.writeHead?.(502).end());

const app = express();
app.use(async (request, response, next) => {
  const found = /(?:^|; )sid=([A-Za-z0-9._~-]{16,256})(?:;|$)/.exec(request.headers.cookie ?? '');
  if (!found) return response.status(401).end();
  const session = await redis.hGetAll(`session:${found[1]}`);
  if (!session.userId) return response.status(401).end();
  request.headers['x-user-id'] = session.userId;
  request.headers['x-user-role'] = session.role ?? '';
  next();
});
app.use((request, response) => proxy.web(request, response));

redis.connect().then(() => {
  const server = app.listen(port, '127.0.0.1', 4096);
  server.keepAliveTimeout = 75000;
});
