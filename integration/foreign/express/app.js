// An application with sessions of its own, put together as the documents of Express, express-session, connect-redis and
// Passport say. It knows nothing of doorward.
//
//   node app.js '{"redis": "redis://127.0.0.1:6379/0", "secrets": ["newest", "older"]}'
//
// It lets in everybody who knows the password "right", and prints its address once it listens.
"use strict";
const express = require("express");
const passport = require("passport");
const session = require("express-session");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");

const settings = JSON.parse(process.argv[2]);
const client = createClient({ url: settings.redis });
client.on("error", (problem) => console.error(`redis: ${problem.message}`));

const app = express();
app.disable("x-powered-by");
app.use(express.urlencoded({ extended: false }));
app.use(
  session({
    store: new RedisStore({ client, prefix: "sess:" }),
    secret: settings.secrets,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: "lax", maxAge: 30 * 60 * 1000 },
  }),
);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
app.use(passport.session());

const right = (request) => request.body.password === "right";
const back = (request) => request.query.next ?? "/me";

app.get("/login", (request, response) => {
  response.send('<!doctype html><title>Log in</title><form method="post"><input name="username"><input name="password" type="password"><button>Log in</button></form>');
});

app.post("/login", (request, response, next) => {
  if (!right(request)) return response.status(401).send("No");
  // A new id with each login, so that nobody knows it from before.
  request.session.regenerate((problem) => {
    if (problem) return next(problem);
    const profile = { languages: ["de", "en"], newsletter: false, since: 2019 };
    request.session.user = { id: request.body.username, roles: [request.body.role ?? "reader"], name: "Jürgen Groß", profile };
    request.session.views = 0;
    request.session.save((failed) => (failed ? next(failed) : response.redirect(303, back(request))));
  });
});

// The same by Passport, which keeps the user below `passport` and renews the session itself.
app.post("/login/passport", (request, response, next) => {
  if (!right(request)) return response.status(401).send("No");
  const user = { id: request.body.username, roles: [request.body.role ?? "reader", "member"], name: "Jürgen Groß" };
  request.login(user, (problem) => (problem ? next(problem) : response.redirect(303, back(request))));
});

app.get("/me", (request, response) => {
  const { user, views, passport: other } = request.session;
  if (user) request.session.views = views + 1;
  response.json({
    id: request.sessionID,
    user: user?.id ?? other?.user?.id ?? null,
    roles: user?.roles ?? other?.user?.roles ?? null,
    views: request.session.views ?? null,
    told: request.headers["x-user-id"] ?? null,
  });
});

app.post("/role", (request, response) => {
  request.session.user.roles = [request.body.role];
  response.sendStatus(204);
});

app.post("/renew", (request, response, next) => {
  const { user, views } = request.session;
  request.session.regenerate((problem) => {
    if (problem) return next(problem);
    Object.assign(request.session, { user, views });
    response.sendStatus(204);
  });
});

app.post("/short", (request, response) => {
  request.session.cookie.maxAge = 500;
  response.sendStatus(204);
});

app.post("/leave", (request, response, next) => {
  request.session.destroy((problem) => (problem ? next(problem) : response.clearCookie("connect.sid").redirect(303, "/login")));
});

app.post("/leave/passport", (request, response, next) => {
  request.logout((problem) => (problem ? next(problem) : response.redirect(303, "/login")));
});

client.connect().then(() => {
  const server = app.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
});
