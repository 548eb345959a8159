"""Signs of danger are seen in plain words of two languages, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcounsel.casework import danger
from mailcounsel.casework.lexicon import phrases

DANGER: dict[str, list[str]] = {
    "suicide": [
        "I don't plan to see the summer.", "I've been practising the knot.",
        "I hope my flight crashes.", "Every morning I'm disappointed to wake up.",
        "I went to the cliffs on Saturday and sat there until dark.",
        "My son says that life is not for him.", "He says he'll jump if I hang up.",
        "Saya tidak berencana sampai lebaran.", "obat gue tinggal 80 biji, udah diitung",
        "naik motor ga pake helm ngebut biar nabrak", "kenapa tali itu putus waktu itu",
        "Istri saya akhir-akhir ini bicara soal pemakamannya terus.",
        "katanya dia bakal loncat kalau aku tutup telepon", "aku mau udahan, makasih udah nemenin",
        "I often think that it would have been best not to be born at all.",
        "I wish I'd never existed", "I would prefer not to exist.",
        "I wish my parents had never had me", "Seandainya saya tidak pernah lahir ke dunia.",
        "Lebih baik aku tidak usah ada.", "kenapa sih aku harus ada di dunia",
        "I envy people who died young.", "The dead are the lucky ones.",
        "I envy those who are already gone.",
        "iri bgt sama yg udah mati, mereka ga ngerasain apa2 lagi",
        "Kadang saya cemburu melihat orang yang meninggal.",
        "I wish I had a terminal illness, then nobody could blame me.",
        "If the plane went down I would not mind.", "Pengen sakit parah aja terus mati.",
        "Every evening I stop on the bridge and look down at the water for an hour.",
        "I wonder whether the seventh floor is high enough.",
        "how long does it take to fall from the tenth floor", "The balcony calls me at night.",
        "aku lagi duduk di pinggir jembatan, bawahnya sungai",
        "Saya sedang berada di atas jembatan, banyak kendaraan lewat.",
        "Saya duduk di jendela lantai delapan, kaki saya sudah di luar.",
        "I am standing on the platform and I let the third train go by.",
        "im on the bridge rn, its cold",
        "I've written my parents a letter, they'll find it on the table.",
        "I have written everyone a letter and now I feel calm.",
        "udah nulis surat buat mama papa, tinggal berani apa nggak",
        "surat perpisahan udah kelar, tinggal nunggu waktu",
        "The freight train comes at ten past nine and I'll be there, on the rails.",
        "Saya sudah hafal jadwal kereta yang tidak berhenti di stasiun kami.",
        "There's a rope in the boot of my car.", "The gas is on and I locked the kitchen door.",
        "I sleep with the gun beside the bed and every night I take it in my hand.",
        "I bought a rope today.", "Obatnya sudah saya kumpulkan sejak bulan lalu.",
        "obat penenang gw tabungin dikit2", "udah beli racun tikus tadi",
        "gue barusan beli gramoxone", "Talinya sudah kuikat di plafon.",
        "Pisau sudah di depanku, tinggal sekali gores.", "udah ada potas di kamar kos",
        "I know the day and the place.", "It will be tonight, I won't change my mind.",
        "I only have to wait until the house is empty.", "Tanggalnya sudah saya pilih.",
        "caranya udah gue pikirin mateng2", "nanti malem pas semua tidur aku lakuin",
        "I wish the paramedics had come too late.",
        "I woke up in hospital again and cried because I was still alive.",
        "Dulu saya pernah coba dan gagal, sekarang terpikir lagi.", "Next time I won't fail.",
        "My sister is cutting herself.",
        "My brother has stopped eating and says he's only waiting for death.",
        "My friend sent a message that sounds like a farewell.",
        "She walked out at night without shoes and her phone is off.",
        "My friend posts that everybody will be rid of him soon.",
        "Ibu saya bilang sudah bosan hidup dan tidak mau makan.",
        "Suami saya pergi dari rumah, ninggalin dompet sama hp, katanya jangan dicari.",
        "adik saya bikin status selamat tinggal terus ngilang",
        "Semoga Allah segera memanggil saya.", "pengen cepet diambil sama Tuhan aja",
        "Gusti, mbok aku ndang dipundhut", "I asked God to call me home soon.",
        "I want to be with my dead husband again.", "I want to lie beside him in the grave.",
        "Pengen ketemu almarhum bapak, sebentar lagi.", "nyusul mama aja lah, udah ga kuat",
        "pengen ikut bapak aja yg udah di kubur",
        "I've given away all my stuff and found a new home for the dog.",
        "No one is to blame for what I'll do.",
        "Thank you for everything, you won't have to bother with me any longer.",
        "Semua barang sudah saya bagikan ke teman-teman.",
        "Jangan salahkan siapa pun, ini keputusan saya sendiri.",
        "hp gue kasih adek, laptop buat temen, gue ga butuh lagi",
        "kucingku udah aku titipin, sekarang plong rasanya", "I am only waiting for it to be over.",
        "I'm done, there is nothing left in me.",
        "They'd be sad for a while, then they would be relieved.",
        "I cannot find one reason to get up and live.", "Sudah buntu semua, mending nyerah aja.",
        "mereka paling nangis seminggu abis itu lega", "I have lived enough.",
        "This is my last letter. For a while I thought it would get better.",
        "I'm standing on the bridge, not for bungee, I want to jump off the bridge.",
        "kalau aku udah ga ada tolong rawat kucingku", "aku sudah tidak mau apa-apa lagi",
        "Setelah aku tidak ada, mereka akan tenang.", "mau mati rasanya, tiap hari begini",
        "I should never have been born.", "How lucky are the people who are already dead.",
        "I find myself on the roof of my block most nights.",
        "I'm sitting on the edge of the platform.",
        "There's an envelope on the table for my husband, he'll find it when he comes home.",
        "I have everything I need at home, the rope and the chair.",
        "My grandfather's shotgun is loaded.", "I know how I will do it.",
        "Pity that they pumped my stomach in time.",
        "My son gave all his games to his cousin and wrote goodbye on Discord.",
        "I want to go home to God.", "I've made my peace and I'm not afraid of dying.",
        "I'm so done, I want to close my eyes and never open them again.",
        "I no longer want to be on this planet.", "Harusnya aku gak usah lahir.",
        "Semoga hasil labnya kanker ganas.",
        "aku udah manjat pagar jembatan kemarin tapi turun lagi",
        "udah gue taro surat di meja buat nyokap",
        "insulin ibu aku simpen banyak di kulkas, aku tau dosisnya",
        "ada racun rumput di gudang, kepikiran terus", "udah pegang obat nyamuk cair mau diminum",
        "Sayang sekali waktu itu saya masih tertolong.",
        "Ibu bilang ingin ikut Bapak saja dan sudah tiga hari tidak makan.",
        "Saya berdoa agar besok tidak melihat matahari lagi.",
        "Saya rindu almarhum anak saya, ingin bersamanya lagi.",
        "Jangan ada yang merasa bersalah kalau aku pergi.", "Saya tidak mau punya masa depan.",
        "aku pengen bali ning Gusti",
        # Indonesian
        "Aku ingin mati.", "saya mau mati saja", "pengen mati rasanya", "pgn mati aja",
        "mau mokat aja", "pengen modyar wae",
        "Pingin MATI", "Aku ingin matiii", "ingin cepat mati", "saya ingin bunuh diri",
        "Kadang kepikiran bunuh diri", "aku mau bundir", "pernah percobaan bunuh diri dua kali",
        "Saya ingin mengakhiri hidup saya.", "Rasanya mau akhiri semuanya", "tidak mau hidup lagi",
        "Aku gak mau hidup lagi", "gak kuat lagi hidup", "udah ga sanggup hidup kayak gini",
        "nggak ada gunanya aku hidup", "Buat apa aku hidup?", "untuk apa lagi saya hidup",
        "capek hidup", "Saya lelah dengan hidup ini", "lebih baik aku mati", "mending mati aja",
        "mendingan aku mati deh", "andai saja aku mati", "Kalau aku mati, semua akan tenang.",
        "semua lebih baik tanpa aku", "hidupku tidak berarti", "hidup saya nggak ada artinya",
        "aku mau gantung diri", "pengen loncat dari jembatan", "mau terjun dari lantai 10",
        "ingin menghilang selamanya", "aku ingin pergi dari dunia ini",
        "semoga besok aku tidak bangun lagi", "Saya menyesal dilahirkan", "bosan hidup",
        "sudah tidak ada harapan lagi", "mau menghabisi nyawa sendiri", "cara mati tanpa sakit",
        "Selamat tinggal semuanya", "aku ingin\nmati", "> aku ingin\n> mati", "b*nuh diri",
        "bun*h d1ri", "b u n u h d i r i", "ingin m4ti", "íngin máti", "Tolong, bunuh saja aku",
        "males hidup", "ingin menyusul almarhum ibu", "aku cuma beban buat keluarga",
        "aku udah nyerah sama hidup", "tidak ada alasan untuk hidup", "kapan ya aku mati",
        "aku pantas mati",
        "saya tidak punya tenaga untuk terus hidup", "Aku pengin nyerah aja sama semuanya",
        "aku mau tidur dan tak pernah bangun", "kenapa aku harus dilahirkan",
        "aku berharap ditabrak mobil", "aku pengen ilang aja", "rasanya ingin lompat",
        "Kalau besok aku nggak ada, tolong jaga kucingku", "nyawaku tidak berharga",
        "malam ini malam terakhirku", "aku takut berbuat nekat",
        "aku sering berpikir tentang kematian",
        "ini surat saya yang terakhir",
        # English
        "I'd rather not be alive", "no one would care if i died", "I feel like ending everything",
        "ending it tonight", "tonight is my last night", "I might do something stupid",
        "Nobody would miss me if I were gone", "I keep imagining driving into a tree",
        "What if I just didn't exist", "I'm done. Goodbye.", "I dont see the point anymore",
        "please let me die",
        "I want to die", "i wanna die", "I just want to die.", "I want to kill myself",
        "im gonna kms", "I am going to end my life", "I want to end it all", "I can't go on",
        "I cannot go on like this", "they would be better off without me",
        "I'd be better off dead", "I wish I was dead", "I wish I had never been born",
        "I don't want to live anymore", "don't want to be here anymore",
        "I don't want to wake up tomorrow", "I have no reason to live",
        "there's no point in living", "nothing left to live for", "life isn't worth living",
        "I am tired of living", "suicidal again", "I keep thinking about suicide",
        "thoughts of ending my life", "going to hang myself", "I will shoot myself",
        "slit my wrists", "jump off a bridge", "jump in front of a train", "take my own life",
        "I took the rope to hang myself", "everyone would be happier without me",
        "I want to sleep forever", "never wake up again, I wish I could never wake up", "s*icide",
        "k1ll mys3lf", "I CAN’T DO THIS ANYMORE", "I want to\ndie", "I want\r\n> to die",
        "sucidal", "unalive myself", "I wrote my goodbye letter", "I'm a burden to everyone",
        "I want to disappear", "ready to die", "I hope I die in my sleep", "su\u00adicide",
        "commit su\u200bicide", "k.m.s", "I have a plan to kill my self", "I see no way out",
        "no will to live",
    ],
    "self-harm": [
        "kulitku kugosok sampai berdarah",
        "I banged my head on the floor until I saw stars.", "My son burns himself with a lighter.",
        "anakku ternyata nyayat lengannya, aku nemu siletnya",
        "adek gue suka nyakar2 tangannya sendiri ampe luka",
        "I punched the mirror and cut myself with the glass on purpose.",
        "aku mukul kaca sengaja biar tanganku luka",
        "I scratched my arms until they bled",
        "aku sayat tanganku lagi", "Saya menyayat lengan", "semalam aku melukai diri sendiri",
        "saya suka menyakiti diriku", "silet di tangan", "aku jedotin kepala ke tembok",
        "aku barcode tangan lagi", "memukul diri sendiri", "ngiris nadi", "sundut rokok ke tangan",
        "I cut myself", "I've been cutting again", "I burn myself with a lighter", "self-harm",
        "selfharm", "I hurt myself last night", "started cutting", "razor on my arm",
        "punching myself",
        "the urge to cut",
    ],
    "overdose": [
        "I took my whole month of lithium.", "My throat is closing and my face swells.",
        "Nenek jatuh dan bicaranya jadi aneh, tidak kenal saya.", "nenggak cairan pembersih wc",
        "They should have let me go when I was in hospital after the overdose.",
        "Harusnya dulu mereka tidak menolong saya waktu saya minum racun.",
        "I have terrible pain in my chest that goes into my jaw.",
        "The wound is very deep and the blood keeps coming.",
        "My friend took something at the party and she isn't breathing right.",
        "her lips are blue and she won't wake up", "I took everything in the cabinet.",
        "I mixed my sleeping pills with vodka and I feel dizzy.",
        "Dada saya seperti ditekan dan tangan kiri kebas.",
        "Lukanya dalam banget, darahnya ngalir terus.",
        "temen gue abis minum sesuatu, sekarang ga sadar, bibirnya biru",
        "Saya minum obat tidur terlalu banyak.", "minum amlodipin segenggam",
        "aku nenggak pemutih dikit, tenggorokan kebakar",
        "aku campur obat sama miras, kepala muter",
        "I slept with the pills next to me and I want to be like the dead.",
        "She took a whole blister of something and is now unconscious.",
        "The bleeding doesn't stop, I cut too deep.",
        "adek minum satu papan obat gatau apa, sekarang pingsan",
        "I've got the pills ready next to my bed", "i downed a bottle of vodka and 20 xanax",
        "aku overdosis", "minum obat sebanyak-banyaknya sekaligus", "saya menelan semua obat",
        "aku sudah minum racun tikus", "minum baygon", "telan segenggam pil",
        "minum 30 butir obat", "I overdosed", "I took all my pills", "took a handful of pills",
        "swallowed the whole bottle of pills", "I want to OD", "I'm saving up my pills",
        "took 40 tablets", "drank bleach", "overdose",
    ],
    "harm-to-others": [
        "I bought petrol and I know where he sleeps.", "udah beli bensin, tau dia tidur dimana",
        "He will pay for it with blood.",
        "She has taken my children and I will make her pay, she won't live to see Christmas.",
        "Dia harus bayar dengan nyawanya.", "pen tak bacok wae wong kae",
        "gue udah siapin parang buat dia",
        "I will make sure that she never laughs again, I've sharpened the knife.",
        "wis tak siapke arit nggo wong kuwi",
        "aku mau meledakkan kantor", "I will burn their house down",
        "Saya ingin membunuh suami saya", "aku mau bunuh dia", "rasanya ingin mencekik anakku",
        "aku akan bacok dia", "takut menyakiti bayi saya", "dia harus mati", "mau membunuhnya",
        "I want to kill him", "I'm going to kill my husband", "I want to hurt them",
        "afraid I will hurt my baby", "I could kill her", "I will stab him",
        "thoughts of killing people",
    ],
    "violence": [
        "My husband pushed me so hard that I lost the baby.",
        "He burned my papers and says nobody will look for me.",
        "The baby has been screaming and I covered her mouth with my hand.",
        "dia bakar ijazahku, katanya ga bakal ada yg nyari aku",
        "Ibu mengikat adik di tempat tidur.", "suami ngancem bawa kabur anak dan bunuh diri bareng",
        "He threatened to throw acid at me.", "She said that she'd come to my work with a knife.",
        "My ex has turned up at my door five times and says he will never let me go.",
        "mantan gw nongkrong depan kos tiap malem, gw takut keluar",
        "dia ngancem bakal dateng bawa celurit", "orang itu ngikutin gue tiap pulang kerja",
        "My nephew has bruises on his legs and says that he fell again.",
        "The kids next door are alone all night and they cry from hunger.",
        "The neighbours leave their toddler alone for whole days.",
        "My niece says grandpa does things with her that she doesn't like.",
        "My coach makes me do things in the changing room.", "I hit my son with a belt yesterday",
        "anak tetangga sering ditinggal sendirian berhari2, ga ada makanan",
        "Pacar mama suka ngelakuin yang aneh-aneh ke adikku waktu malam.",
        "aku kelepasan ngebanting anakku", "Di paha anak saya ada bekas sundutan rokok.",
        "anakku takut pulang ke rumah ayahnya dan badannya memar",
        "My back is all blue and I told them that I fell.", "He twisted my arm until it cracked.",
        "He smashed my phone and said I'd be next.", "Dia suka nendang kalau marah.",
        "pacarku sering jambak sama nampar kalo dia cemburu",
        "Badan saya lebam-lebam tapi saya bilang jatuh di kamar mandi.",
        "Bapakku nggebuki aku nganggo sabuk.", "aku dikampleng bapak tiap bengi",
        "sepupu gw masuk kamar gw malem2 trus megang2", "He hit me like an animal.",
        "He kicked me out of the house at night.", "He follows me on his motorbike to work.",
        "maksa saya minum sampai pingsan lalu diperkosa", "I put the gun to my head last night.",
        "He said if I leave he'll disfigure me with acid.", "He stands under my window at night.",
        "The little ones next door haven't eaten for two days.", "My uncle makes me touch him.",
        "My dad hits us with a cable.", "He holds my head under water when he is angry.",
        "Suami saya mengancam menyiram wajah saya dengan cuka para.",
        "Mantanku berdiri di depan jendela kamarku tiap malam.",
        "adik kecil di sebelah belum makan dua hari, ibunya pergi",
        "om aku nyuruh aku pegang anunya", "pacarku nindih aku dan gak mau berhenti",
        "Bapakku seneng ngamuk, aku dijotosi.",
        "Dia melempar piring ke arahku", "suami suka main tangan", "Ayah tiri meraba saya",
        "he put his hands around my neck", "He pushed me down the stairs",
        "suami saya memukul saya", "Saya dipukuli tadi malam", "aku diperkosa", "KDRT",
        "dia mencekik leherku", "ayah mengancam dengan pisau", "saya takut pulang",
        "pacarku menampar aku", "saya dikurung di kamar", "suami mengancam akan bunuh saya",
        "aku dilecehkan paman", "dia memaksa saya berhubungan", "he hits me",
        "my husband beats me", "He choked me last night", "I was raped",
        "my boyfriend threatened to kill me", "I'm scared to go home", "I don't feel safe at home",
        "domestic violence", "he has a knife", "my dad hits me", "I am afraid of my husband",
        "he beat me up again", "He locked me in", "my partner is abusive",
    ],
}  # fmt: skip

HARMLESS = [
    "She is the only one on this earth who makes better soup.",
    "I counted my pills for the trip into the box.",
    "We talked about her funeral yesterday, it was beautiful.",
    "He held my hand and kissed my face.", "I hate to wake up early.", "I watched my son sleep.",
    "I do not expect to see the end of the project this year.", "I bought petrol near his house.",
    "My mind keeps going back to the exam.", "We went to the cliffs on Saturday and took photos.",
    "I hold the baby at night so that she sleeps.", "I keep the medication in a drawer.",
    "The rope is in the car for camping.", "We stayed in a hotel and could not find our friends.",
    "Tadi beli bensin di dekat rumah.", "Kami bicara soal pemakaman bapak.",
    "Saya buang baju lama.", "Aku tahu dia tinggal di Bandung.",
    "Surat untuk sekolah anak sudah saya tulis.", "Obatnya disimpan di kulkas.",
    "Saya sudah siap pergi kerja.", "Saya menunggu kereta di stasiun.",
    "Saya iri sama teman, hidupnya tenang.", "Saya nyusul bapak ke sawah.",
    "Saya bilang ke dokter saya jatuh dari sepeda.", "Besok saya akan lakukan latihan napas.",
    "Saya mau coba lagi minggu depan.", "Saya minum obat maag dan teh.",
    "Kemarin ada bekas luka di lutut saya.",
    "My daughter was born in May and we named her after her grandmother.",
    "The doctor said it is not cancer and I am so relieved.",
    "We live on the ninth floor and I love the view from the balcony.",
    "I've picked the day for our wedding, it will be after the graduation.",
    "The rope for the swing is in the garage.",
    "I hit my head on the kitchen cupboard, now I have a bump.",
    "I waited outside the office for my sister.", "She will pay with her card.",
    "My girlfriend leaves the kids with her mother on Mondays.",
    "I can breathe again now that the exam is over.",
    "My roommate cuts her own hair in the bathroom.",
    "My husband has stopped smoking since he retired.",
    "Since the attempt to sell the house failed we live there again.",
    "I am on the train now and finally have time to write.",
    "The 6:40 train goes without stopping, so I take the next one.",
    "I collect recipes and keep my pills in a box for each day.",
    "We put poison in the garden against the snails.", "I knew the day and place of the meeting.",
    "The baby fell asleep after I rocked her.", "The dog is alone for hours and barks.",
    "He follows a strict diet.", "I would rather not exist on coffee alone.",
    "I had enough of the soup.", "I am ready to go on holiday and not afraid of flying any more.",
    "Don't look for me at the station, I come by bus.",
    "I've lived here long enough to know everyone.", "I'm only waiting for the end of term.",
    "My grandma prays every evening and asks God for health.",
    "I could not move the wardrobe alone.", "They'd cry for a week if we sold the dog.",
    "Saya iri sama orang yang sudah menikah.", "Pengen cepet dipanggil interview.",
    "Saya sudah tahu caranya dan tempatnya, jadi besok langsung daftar.",
    "Surat lamaran sudah saya tulis, tinggal kirim.",
    "Struk belanja sengaja saya kumpulin, sekarang sudah cukup banyak.",
    "Tali jemuran sudah saya pasang di belakang.", "udah beli potong ayam td siang di pasar kak",
    "Barang-barangku udah kubawa semua ke kos baru, kucing udah kutitip ke tetangga.",
    "Saya sudah ikhlas menerima keputusan itu.", "Kakak ipar sering main ke rumah dan bantu masak.",
    "Suami saya didorong teman-temannya untuk jadi ketua RT.",
    "Anak-anak ditinggal sebentar sama neneknya waktu kami belanja.",
    "Dada saya berdebar waktu presentasi.", "OD-nya perusahaan itu apa ya? Organisasi?",
    "Istri saya sudah pamitan sama tetangga sebelum kami pindah.",
    "Saya mau nyusul kakak kuliah di Bandung.", "Minum obat alergi bikin ngantuk.",
    "gw udah ga kerja di situ lagi", "saya sudah tidak batuk lagi dok",
    "Saya sudah tidak minum kopi sejak Senin.", "Tidak ada harapan lolos seleksi tahun ini.",
    "Maaf saya takut pulang kemalaman jadi pamit duluan.", "I gave it to my boss on Monday.",
    "She follows me on Instagram.", "I would go if I wasn't so tired.",
    "Say hello to all, goodbye and see you.", "Nobody would find me boring.",
    "He kicked me off the team.", "We have a plan and this time it will work.",
    "My term papers are due on Friday.", "We beat them 3-1 and they beat us 2-0 last year.",
    "Goodbye to the old sofa, hello new one.", "Ini surat terakhir sebelum saya libur.",
    "The film is about a suicide.", "ketawa sampe mau mati",
    "Nyamuknya mati semua habis disemprot.", "I did a bungee jump from a bridge in Austria.",
    "He did not threaten anyone.", "I never existed on so little sleep before.",
    "I hope the results come soon, it might be an allergy.",
    "I watched the trains with my son for an hour.",
    "I wrote letters to three companies and got one answer.",
    "I've decided on the colour for the kitchen.", "I'll call the doctor tomorrow.",
    "The knives are in the drawer.", "It would be a relief to hear from you.",
    "I can't breathe well because of hay fever.", "My baby has a fever and she does not sleep.",
    "My daughter has a bruise from football.",
    "My son comes into our bed at night when he has nightmares.",
    "She turned up at my party with a cake.", "She paid with her own money.",
    "I cut the ribbon with scissors.", "I said that I fell in love.",
    "My back is sore from gardening.", "I take more vitamins than before.",
    "She said goodbye and hung up.", "I feel better and I can wait.",
    "Saya tidak pernah ada masalah dengan tetangga.", "Semoga saya dapat kerja yang dekat rumah.",
    "Kami makan malam di rooftop sambil lihat kota.", "Surat dokter sudah saya taruh di meja.",
    "Saya sudah menentukan hari untuk bertemu konselor.", "Obat saya disimpan di kotak P3K.",
    "Talinya sudah diikat di kardus.", "Anak saya suka menendang bola di halaman.",
    "Wajah saya merah karena jerawat.", "Anak ditinggal di sekolah sampai jam dua.",
    "Dia mengikuti saya waktu belanja supaya bisa bantu bawa barang.", "Saya bayar dengan kartu.",
    "Saya ikut bapak ke kantor.", "Dada saya sesak waktu panik, lalu latihan napas membantu.",
    "Luka dalam hati saya perlu waktu.", "Saya sudah cukup tidur.",
    "Sekarang sudah tidak sering marah.", "matiin lampu dulu ya",
    "Saya menyerah main catur lawan kakak.",
        "I am proud of myself.", "My nose runs.", "I should take care of myself",
        "That did not exist then.",
    "I would rather not say.", "Kunci yang kami pakai.",
    "My sister and I cooked together. I had forgotten that.",
        "Let us eat together.", "Let me see what I can do.", "My brother and I amused ourselves.",
    # plans, homes and feelings of an ordinary week
    "I want to tell my mother that I will move out.", "Tell my husband that I will be late.",
    "It gets better, and now I know what helps.", "Saya tidak akan ada waktu minggu depan.",
    "I think about dropping her off at school earlier.", "Her death is easier to bear now.",
    "I let go of the railing for the first time.", "Doakan saya tenang waktu ujian.",
    "It is a relief that I do not have to be there on Monday.",
    "I wrote a note for my husband about the dishes.", "I drove for hours behind a truck.",
    "I almost did it on Friday: I nearly called my boss.",
    "Kucing saya berikan makan untuk pertama kali.", "We told my parents about the money.",
    "My kids will have insurance through the new job.",
    "Saya cari cara belajar yang tidak terasa berat.",
    # everyday idioms that hold such words
    "Kemarin mati lampu.", "di sini mau mati lampu", "baterai mati", "HP saya mau mati",
    "lampu mati", "hp mau mati, nanti saya sambung", "mati gaya", "mau mati ketawa",
    "Saya mati-matian belajar", "cinta setengah mati", "ingin sembuh setengah mati",
    "bunuh waktu sambil membaca", "membunuh nyamuk", "harga mati", "mati rasa di jari",
    "tanaman saya mati", "kucing saya mati minggu lalu", "I'm dying to see you",
    "The deadline is close.", "dead tired", "dead end job", "killing time",
    "the meeting is killing me", "my phone is going to die", "My battery is about to die",
    "I walked 5 kms", "three kms per day", "It beats me why", "kill two birds with one stone",
    "shoot me an email", "I cut myself some slack", "burned myself out at work", "die laughing",
    "I want to die laughing", "It hit me that I was wrong", "cut my hair", "I can't go on holiday",
    "a killer recipe", "deadly boring", "the car died", "Suicide Squad is a film",
    "jump to conclusions",
    # ordinary letters of a counselling centre
    "Halo, saya sulit tidur sejak pindah kerja.", "Saya merasa sedih dan sendirian.",
    "Minggu ini saya jalan kaki empat kali.", "Saya cemas setiap kali rapat.",
    "Terima kasih banyak, Bu.", "Saya minum obat satu kali sehari.",
    "Saya minum 2 tablet sesudah makan.", "Saya banyak makan dan tidur.",
    "Anak saya tidak mau sekolah.", "Suami saya pulang pukul 7.", "Saya mau tahu biaya konseling.",
    "Biaya untuk hidup di kota mahal.", "Saya ingin hidup lebih sehat.",
    "Hidup saya mulai membaik.", "Saya ingin belajar mengatur waktu.",
    "Kami sering bertengkar soal uang.", "Ibu saya meninggal tahun lalu.",
    "Saya kangen ayah yang sudah wafat.", "tidak mau bangun pagi",
    "Ia datang dan kami makan bersama.", "Aku tidak mau ke kantor besok.",
    "Dia akan menelepon saya besok.", "Semoga harimu baik.", "Mau nembak dia tapi malu.",
    "Potong rambut dulu ya.", "Saya takut ketinggalan kereta.", "I have trouble sleeping.",
    "I feel lonely since I moved.", "Thank you for your letter.",
    "I want to live closer to my family.", "I want to be here for my children.",
    "I took my pills as told.", "I took one tablet this morning.",
    "She pushed the meeting to Monday.", "We live in a small house.", "I will call them tomorrow.",
    "My sister hurt her knee.", "I hope to sleep better.", "He made dinner.", "I go on walks.",
    "I do not want to move house.", "I need to go on a diet.", "I feel better now.",
    "I am going to end this letter here.", "The end of my working life is near.", "I can't wait.",
    "It might hurt my chances.", "I could use some advice.", "I take my tea without sugar.",
    "I stopped going out.", "Nobody hit the target.", "They take the bus to school.",
]  # fmt: skip


def found(text: str) -> set[str]:
    return {sign.kind for sign in danger.signs(text)}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in DANGER.items() for text in texts]
)
def test_a_sign_is_seen(kind: str, text: str) -> None:
    """Each of these raises, with its kind."""
    assert kind in found(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_everyday_words_raise_nothing(text: str) -> None:
    """None of these raises."""
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Sy pngn mti sja bu", "sya mau bnuh diri mlm ini", "dia ngancm mau bnuh sya",
        "sdh mnum obt bnyk", "swami sya mmukul sya tiap mlm", "dia mncekik sya smpe pngsan",
        "mau lncat dr jmbatan", "im gna kill myslf", "he bts me evry night", "pgn gntung diri aja",
    ],
)  # fmt: skip
def test_a_sign_is_seen_without_its_vowels(text: str) -> None:
    """People write in a hurry, on old phones, or as they speak."""
    assert any(not sign.negated for sign in danger.signs(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "sya mau mkan dlu bu", "smua baik2 aja kak, mksh bnyk", "sdh tdur jam 10, mood 7",
        "jln kaki 3x mnggu ini", "my dad and i want to hav dinner", "krn hujan sya plg cpat",
        "thx 4 evrything, cu nxt wk", "I put the mat by the door and the pan on the shelf.",
    ],
)  # fmt: skip
def test_everyday_words_without_their_vowels_raise_nothing(text: str) -> None:
    """Most of what is written in a hurry is no danger."""
    assert not danger.signs(text), text


@pytest.mark.parametrize(
    "text",
    [
        "I'm on track, G1 7", "I am on track with my goals this week.",
        "I take 20 mg of fluoxetine every morning.", "I take 50 mg sertraline daily",
        "The kids ate the lot.", "i dun wan to be late for class",
        "I was standing on a chair to change the bulb.", "We drive people over to church.",
        "I haven't eaten meat for twelve days.", "im on the roof fixing tiles with dad",
        "I'm at the railway station, the train is late.",
        "My family is taking me to a wedding on Saturday.",
        "Not allowed out since the flood, the roads are closed.",
    ],
)  # fmt: skip
def test_places_and_medicines_of_an_ordinary_day_raise_nothing(text: str) -> None:
    """A goal that goes well, a dose as it was prescribed, a roof that is mended."""
    assert not danger.signs(text), text


def test_recall_and_precision_over_all_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """Recall over our own sentences is complete; both figures are printed."""
    wanted = [text for texts in DANGER.values() for text in texts]
    hits = sum(bool(found(text)) for text in wanted)
    false = sum(bool(found(text)) for text in HARMLESS)
    with capsys.disabled():
        print(
            f"\ndanger: {len(wanted) + len(HARMLESS)} sentences, recall {hits / len(wanted):.3f}, "
            f"precision {hits / (hits + false):.3f}"
        )
    assert len(wanted) + len(HARMLESS) >= 250
    assert hits == len(wanted)


def test_a_sign_says_where_it_stands() -> None:
    """The span holds the words, in a text with accents and line ends before it."""
    text = "Café ☕ dulu.\r\nLalu… aku ingin\r\nmatiii, sungguh."
    (sign,) = danger.signs(text)
    assert text[sign.start : sign.end] == "ingin\r\nmatiii"
    assert (sign.kind, sign.rule) == ("suicide", "id-ingin-mati")
    assert not sign.quoted
    assert not sign.negated


@pytest.mark.parametrize(
    "text",
    [
        "I am not going to kill myself.",
        "I would never kill myself",
        "I don't think I am suicidal",
        "Saya tidak ingin mati.",
        "aku gak akan bunuh diri",
        "Saya bukan mau bunuh diri",
        "jangan bunuh diri",
        "He didn't threaten me, he just went silent.",
        "My husband does not hit me.",
        "Dia tidak mengancam.",
        "Suami saya tidak mukul.",
        "I would not kill myself if he left",
        "If he comes to the door I will not kill myself",
    ],
)
def test_a_denied_sign_is_raised_and_marked(text: str) -> None:
    """A denial never takes a sign away; a person reads it."""
    assert [sign.negated for sign in danger.signs(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "I don't know, I want to die",
        "I cannot stop thinking about suicide",
        "No. I want to die.",
        "Saya tidak tahu, saya ingin mati",
        "tidak bisa berhenti memikirkan bunuh diri",
        "I am not lying but I want to die",
        "aku tidak tidur karena ingin mati",
        "tidak mau hidup lagi",
        "I can't go on",
        "I won't not kill myself",
        "He never stops hitting me.",
        "dia gak pernah berhenti mukulin aku",
        "No one knows that he rapes me.",
        "Nobody and no one would ever know that he hits me",
        "Tidak ada yang tahu suami memukul saya.",
        "If I don't send more he will post the naked ones.",
        "Kalau aku gak nurut aku dipukul.",
        "when i do not cook he hits me",
        "He does not hit me every day.",
        "Dia tidak mukul aku tiap hari.",
        "i have no friends i want to die",
        "gak punya temen aku mau mati",
        "Tidak ada hari tanpa saya memikirkan bunuh diri.",
    ],
)
def test_a_denial_of_something_else_marks_nothing(text: str) -> None:
    """What is denied elsewhere, or twice, leaves the sign as it is."""
    read = danger.signs(text)
    assert read
    assert not any(sign.negated for sign in read)


def test_a_sign_within_a_quote_is_marked() -> None:
    """Quotes told line by line count as one; a sign that reaches out of them does not."""
    quote = "> aku ingin\n> mati\n"
    text = quote + "Saya tidak mau hidup lagi"
    lines = [(0, 12), (12, len(quote))]
    assert [sign.quoted for sign in danger.signs(text, lines)] == [True, False]
    assert [sign.quoted for sign in danger.signs(text, [(0, 12)])] == [False, False]
    assert [sign.quoted for sign in danger.signs(text)] == [False, False]


def test_many_quoted_signs_never_hide_a_plain_one() -> None:
    """The number of signs is bounded, apart for quoted and for plain ones."""
    quote = "I want to die. " * 5000
    read = danger.signs(quote + "I want to die.", [(0, len(quote))])
    assert len(read) < 100
    assert [sign.quoted for sign in read].count(False) == 1


def test_a_sign_is_seen_wherever_it_stands_in_a_long_letter() -> None:
    """Windows share enough words: at any offset the sign is found once, with its denial."""
    for words in (19_900, 19_950, 19_997, 19_998, 19_999, 20_000, 20_001, 40_000, 39_950):
        text = "kata " * words + "I am not going to kill myself " + "kata " * 60
        (sign,) = danger.signs(text)
        assert text[sign.start : sign.end] == "kill myself"
        assert sign.negated


def test_an_idiom_is_passed_over_wherever_it_stands_in_a_long_letter() -> None:
    """An idiom that begins in one window covers its sign in the next."""
    for words in range(19_940, 20_010, 3):
        text = "kata " * words + "my phone is going to die " + "kata " * 120
        assert danger.signs(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Suami memukul saya, lalu memukul kasur.", "Bapak memukul ibu dan memukul bantal.",
        "My phone, I want to die.", "Lampunya, saya mau mati.", "Minum obat, sekarang, satu botol.",
        "Tali jemuran sudah saya beli.", "Tali rafia sudah siap.", "I took some pills for my back.",
        "I said goodbye to my home and my colleagues.", "Saya takut pulang terlambat.",
        "I was hiding in the bathroom at work because he came.",
        "Saya tidak kuat lagi lari dari dia.", "My team, he has beaten me.",
        "My husband would kill me if he saw this letter.", "He hit me like an animal.",
        "He beat me 3 times last week.", "He kicked me out of the house at night.",
        "I want to disappear into the sea.", "aku ketawa di luar tapi mau mati",
        "mau mati rasanya pengen lari dari semua", "nyamuk aja bikin aku mau mati",
        "I am only waiting for the end of my life.", "This time I would not call the hotline.",
        "If I wasn't in anyone's way.", "saya sudah beli racun rumput",
        "Saya sudah pergi ke surga saat Ibu baca ini.", "aku di rooftop hotel sekarang",
        "He follows me home and on Instagram.", "Aku udah gak kuat.",
    ],
)  # fmt: skip
def test_an_idiom_hides_no_sign_beside_it(text: str) -> None:
    """Risk only ever raises: an everyday saying covers itself, and nothing near it."""
    assert danger.signs(text)


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200))))
def test_no_text_breaks_the_reader(text: str, quoted: list[tuple[int, int]]) -> None:
    """Whatever comes, every sign lies within the text."""
    for sign in danger.signs(text, quoted):
        assert 0 <= sign.start < sign.end <= len(text)


def test_what_was_said_plainly_again_and_again_hides_no_other_kind() -> None:
    """In a very long letter a kind is no longer looked for, and all others still are."""
    text = "I want to die. " * 20_000 + "He raped me."
    assert {sign.kind for sign in danger.signs(text)} == {"suicide", "violence"}
    denied = "I do not want to die. " * 20_000 + "I want to die."
    assert not danger.signs(denied)[-1].negated


def test_hostile_text_is_read_in_bounded_work() -> None:
    """Words chosen to begin many phrases, masks and stretched letters do not multiply."""
    for text in ("m*ti b*nuh ", "ingin aku ", "want it just ", "a*b*c*d ", "k m s "):
        danger.signs(text * 2_000)
    assert danger.signs("a" * 2_000_000) == ()
    assert danger.signs("i" + "*" * 500_000 + "i") == ()


def test_a_phrase_begins_with_a_word() -> None:
    """A mistake in the lexicon is refused when it is loaded."""
    for source in ("", "... mati", "ingin? mati", "ingin ..."):
        with pytest.raises(ValueError, match="a phrase begins"):
            phrases.compile_phrase("x", source, {})
