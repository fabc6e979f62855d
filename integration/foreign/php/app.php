<?php
// An application with sessions of its own, kept in Redis by the phpredis extension as its documents say. It knows nothing of
// doorward.
//
//   php -d session.save_handler=redis -d session.save_path='"tcp://127.0.0.1:6379?database=0"' -S 127.0.0.1:3000 app.php
//
// It lets in everybody who knows the password "right".

declare(strict_types=1);

/** Something that a reader of the session cannot know the class of. */
class Basket implements JsonSerializable
{
    public array $items = ['Äpfel' => 3, 'pears' => 0];
    protected ?string $voucher = null;
    private float $discount = 0.1;
    public ?Basket $before = null;

    public function jsonSerialize(): array
    {
        return $this->items + ['voucher' => $this->voucher, 'discount' => $this->discount];
    }
}

function see(string $where): void
{
    http_response_code(303);
    header("Location: $where");
}

function fill(string $user, string $role): void
{
    // What surrounds the wanted fields is of every kind that PHP has.
    $basket = new Basket();
    $basket->before = new Basket();
    $_SESSION['basket'] = $basket;
    $_SESSION['again'] = $basket;
    $_SESSION['uid'] = $user;
    $_SESSION['roles'] = [$role, 'member'];
    $_SESSION['account'] = ['id' => 4711, 'name' => 'Jürgen Groß ✓', 'limits' => ['day' => 5, 'month' => [1, [2, [3]]]]];
    $_SESSION['level'] = 3;
    $_SESSION['active'] = true;
    $_SESSION['locked'] = false;
    $_SESSION['ratio'] = 0.25;
    $_SESSION['nothing'] = null;
    $_SESSION['note'] = 'a;b|c"{}:s:3:"x";';
    $_SESSION['views'] = 0;
}

session_start();
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$right = ($_POST['password'] ?? '') === 'right';

switch ("{$_SERVER['REQUEST_METHOD']} $path") {
    case 'GET /login':
        echo '<!doctype html><title>Log in</title><form method="post"><input name="username"><input name="password" type="password"><button>Log in</button></form>';
        break;
    case 'POST /login':
        if (!$right) {
            http_response_code(401);
            echo 'No';
            break;
        }
        // A new id with each login, so that nobody knows it from before.
        session_regenerate_id(true);
        fill($_POST['username'], $_POST['role'] ?? 'reader');
        see($_GET['next'] ?? '/me');
        break;
    case 'GET /me':
        if (isset($_SESSION['uid'])) {
            $_SESSION['views']++;
        }
        header('Content-Type: application/json');
        echo json_encode([
            'id' => session_id(),
            'user' => $_SESSION['uid'] ?? null,
            'roles' => $_SESSION['roles'] ?? null,
            'views' => $_SESSION['views'] ?? null,
            'basket' => $_SESSION['basket'] ?? null,
            'told' => $_SERVER['HTTP_X_USER_ID'] ?? null,
        ]);
        break;
    case 'POST /role':
        $_SESSION['roles'] = [$_POST['role'], 'member'];
        http_response_code(204);
        break;
    case 'POST /renew':
        session_regenerate_id(true);
        http_response_code(204);
        break;
    case 'POST /leave':
        $_SESSION = [];
        session_destroy();
        setcookie(session_name(), '', ['expires' => 1, 'path' => '/']);
        see('/login');
        break;
    default:
        http_response_code(404);
}
