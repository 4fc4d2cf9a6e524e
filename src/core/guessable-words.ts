/** What people make passwords and placeholders of, in lower case: the words of settings and of everyday English, names, months and years. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
am an as at be by do go he if in is it me my no of on or so to up us we
access account acme actual admin administrator after again agent algorithm algorithms alice all alpha also always and animal another answer any apikey
app apple application april are area audience august auth authentication authorization autumn backend baby bank base baseball basic
battery beautiful because been before being below best beta better between big bird bits black blue board bob book bot both box boy
branch bread bring brown build business but butter bytes cake call can canary cannot captain car care cat certificate chair change
changed chanel charlie char chars character characters chat cheese cherry chicken child chip choose chocolate cipher city class clear
client close cloud coffee cold color come comes common company complete complex computer config configuration consectetur container
content control cookie cool copy correct could country create credentials crypto current customer daniel danger dark data database date
dave day dead death debug december decode default delta demo deploy dev developer dont development digit digits docker doctor dog dollar
dolor dolphin domain done dont door double down dragon dream drive during each earth east easy eight elit email empty encode encrypt
encryption end energy engine english enough enter enterprise entropy environment ever every example examples expire eye face fake
family far fast father february file final find fire first fish five fix flower flowers fly food foobar football for forest forever forget
found four fox frank free freedom friday friend friends from front full game gamma garden general generate generated get girl github
give global god gold good google grandmother great green group guest hacker hand happy hard has hash have head heart heaven hello help
here hidden high him his hmac hold home honey horse host hotel hour house how however hundred hunter husband ice idea identity important
inside instead integration internal internet into ipsum iron issuer its january jane java john jumps june july just jwt keep key
keyboard keys kind king kitten know lamp large last lazy learn least leave left lemon length let letmein letter letters life light like
line link lion little live load local localhost lock logger login london long look lord lorem lot love lucky machine magic mail main
make man manager many march mary master matrix matter maximum may mean member message metal mike milk million mind minimum minute minutes mock model
monday money monkey month moon more morning most mother mountain mouse much music must mustang myapp mysecret name near need never new
news next night nine node none noone normal north not note nothing november now null number numbers ocean october off office okay old
olive once one only open opensesame openssl option orange order original other our out over own owner page panda paper paris part party
pass passphrase passcode password passwords path pepper people pepsi person peter phone phrase picture pizza place plain planet platform play
please point polylogue porsche port portal power pretty prince princess private problem prod production project protect provider
public purple put pwd qwerty quality question quick rabbit rain random raw read real really red redis refresh remember
remove replace request required reset rest return right ring river road robert robot rock root rose rotate run safe salt same sample samsung
sandbox saturday save say school sea season secrets secret secretkey secure security see send seed september server service session set
setting seven shadow shall sharp shop short should show sign signature signed signing silver simple single sister sit site sitting six
size sky small smith snow soccer some something soon soul sound south space spring staging standard staple star start starwars state
stop store story street string strings strong stuff success sugar summer sun sunday sunflower sunset sunshine super superman supersecret support
sure system table take tango task team tell temp temporary ten tenant test tester testing tests text than thank that the their them
then there these they thing think this thomas those thousand three through thunder thursday tiger time times today toffee token tokens
tomorrow too top town train tree true trust trustno tuesday turn two under unit unknown unsafe until update upon use used user username
users using utf value values variable very video view violet wait want warning was washington watch water way web website wednesday
week welcome well went were west what when where which while white who whole why wife will window winter wire wish with without woman
wonder word words work world worst would write wrong year years yellow yes yesterday you your yours zero zone zulu
hex sha rsa uuid api url net org com www xyz abc foo bar baz qux todo fixme asdf asd qwe zxc aes des npm env ssl tls sso oauth nextauth
laravel django flask rails spring boot express fastapi fastify nestjs react angular vue symfony supabase firebase mongodb postgres postgresql mysql
hs256 hs384 hs512 256 512 128 1234 123 111 000 666 777 007 2019 2020 2021 2022 2023 2024 2025 2026 2027 2028 1984 1990 1999 2000
`
    .trim()
    .split(/\s+/),
);
