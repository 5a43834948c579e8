"""The things of COCO in German, French, Spanish, Portuguese, Japanese and Chinese, as people type them. Data only.

Plurals that English rules do not undo are listed. Words that are English for something else are left out: the French
"four" is no oven here.
"""

from __future__ import annotations

# In the order of the languages above; what they share is there once.
NAMES: dict[str, str] = {
    "person": "mensch;menschen;leute;personen;personne;gens;persona;gente;pessoa;人;人物;人間;人们;人類",
    "bicycle": "fahrrad;fahrräder;vélo;bicyclette;bicicleta;自転車;自行车;单车;腳踏車;脚踏车",
    "car": "wagen;autos;voiture;coche;carro;automóvil;automóvel;車;自動車;くるま;クルマ;汽车;轿车;车",
    "motorcycle": "motorrad;motorräder;moto;motocyclette;motocicleta;バイク;オートバイ;摩托车;摩托車",
    "airplane": "flugzeug;flugzeuge;avion;avión;avião;aviões;飛行機;飞机;飛機",
    "bus": "busse;autobus;autobús;ônibus;autocarro;バス;公交车;公共汽车;巴士;公車",
    "train": "zug;züge;eisenbahn;tren;trem;comboio;電車;列車;火车;火車;列车",
    "truck": "lastwagen;lkw;laster;camion;camión;caminhão;caminhões;トラック;卡车;卡車;货车",
    "boat": "boot;boote;schiff;schiffe;bateau;bateaux;barco;bote;船;ボート;ふね;小船;小艇",
    "traffic light": "ampel;ampeln;feu de circulation;feux tricolores;semáforo;信号機;信号;红绿灯;交通灯;紅綠燈",
    "fire hydrant": "hydranten;bouche d'incendie;borne d'incendie;boca de incendio;hidrante;消火栓;消防栓",
    "stop sign": "stoppschild;stoppschilder;panneau stop;señal de stop;placa de pare;一時停止標識;停车标志;停止标志",
    "parking meter": "parkuhr;parkuhren;parcmètre;horodateur;parquímetro;パーキングメーター;停车计时器",
    "bench": "sitzbank;parkbank;parkbänke;banc;banco de jardim;banco del parque;ベンチ;长椅;長椅;长凳",
    "bird": "vogel;vögel;oiseau;oiseaux;pájaro;ave;pássaro;鳥;とり;小鳥;鸟;小鸟",
    "cat": "katze;katzen;kater;chat;chats;gato;gata;猫;ねこ;ネコ;貓;小猫",
    "dog": "hund;hunde;chien;perro;cachorro;cão;cães;犬;いぬ;イヌ;狗;小狗",
    "horse": "pferd;pferde;cheval;chevaux;caballo;cavalo;馬;うま;ウマ;马",
    "sheep": "schaf;schafe;mouton;oveja;ovelha;羊;ひつじ;ヒツジ;绵羊",
    "cow": "kuh;kühe;vache;vaca;牛;うし;ウシ;奶牛;母牛",
    "elephant": "elefant;elefanten;éléphant;elefante;象;ぞう;ゾウ;大象",
    "bear": "bär;bären;ours;oso;urso;熊;くま;クマ;狗熊",
    "zebra": "zebras;zèbre;cebra;シマウマ;しまうま;斑马;斑馬",
    "giraffe": "giraffen;girafe;jirafa;girafa;キリン;きりん;长颈鹿;長頸鹿",
    "backpack": "rucksäcke;sac à dos;mochila;リュック;リュックサック;バックパック;背包;双肩包",
    "umbrella": "regenschirm;regenschirme;schirm;parapluie;paraguas;guarda-chuva;傘;かさ;雨伞;雨傘;伞",
    "handbag": "handtasche;handtaschen;tasche;sac à main;bolso;bolsa;ハンドバッグ;バッグ;かばん;手提包;手提袋;包",
    "tie": "krawatte;krawatten;schlips;cravate;corbata;gravata;ネクタイ;领带;領帶",
    "suitcase": "koffer;valise;maleta;mala;スーツケース;トランク;行李箱;手提箱",
    "frisbee": "frisbees;disque volant;disco volador;フリスビー;飞盘;飛盤",
    "skis": "skier;esquís;esquis;スキー;スキー板;滑雪板",
    "snowboard": "snowboards;tabla de snowboard;スノーボード;单板滑雪板;滑雪单板",
    "sports ball": "bälle;fussball;ballon;balle;pelota;balón;bola;ボール;球",
    "kite": "drachen;cerf-volant;cerfs-volants;cometa;pipa;papagaio;凧;たこあげ;风筝;風箏",
    "baseball bat": "baseballschläger;batte de baseball;bate de béisbol;taco de beisebol;バット;野球バット;棒球棒;球棒",
    "baseball glove": "baseballhandschuh;gant de baseball;guante de béisbol;luva de beisebol;グローブ;棒球手套",
    "skateboard": "skateboards;planche à roulettes;monopatín;スケートボード;スケボー;滑板",
    "surfboard": "surfbrett;surfbretter;planche de surf;tabla de surf;prancha de surf;サーフボード;冲浪板",
    "tennis racket": "tennisschläger;raquette de tennis;raqueta de tenis;raquete de tênis;ラケット;"
    "テニスラケット;网球拍",
    "bottle": "flasche;flaschen;bouteille;botella;garrafa;瓶;ボトル;びん;瓶子",
    "wine glass": "weinglas;weingläser;verre à vin;copa de vino;taça de vinho;taça;ワイングラス;酒杯;红酒杯",
    "cup": "tasse;tassen;becher;taza;vaso;xícara;copo;コップ;カップ;マグカップ;杯子;杯",
    "fork": "gabel;gabeln;fourchette;tenedor;garfo;フォーク;叉子;餐叉",
    "knife": "messer;couteau;couteaux;cuchillo;faca;ナイフ;包丁;刀;小刀;餐刀",
    "spoon": "löffel;cuillère;cuiller;cuchara;colher;colheres;スプーン;勺子;汤匙;匙",
    "bowl": "schüssel;schüsseln;schale;bol;cuenco;tigela;ボウル;お椀;茶碗;碗",
    "banana": "banane;bananen;plátano;バナナ;香蕉",
    "apple": "apfel;äpfel;pomme;manzana;maçã;りんご;リンゴ;林檎;苹果;蘋果",
    "sandwich": "sandwiches;belegtes brot;bocadillo;sanduíche;サンドイッチ;三明治",
    "orange": "orangen;apfelsine;naranja;laranja;オレンジ;みかん;橙子;橘子",
    "broccoli": "brokkoli;brocoli;brócoli;brócolis;ブロッコリー;西兰花;花椰菜",
    "carrot": "karotte;karotten;möhre;möhren;carotte;zanahoria;cenoura;にんじん;ニンジン;人参;胡萝卜;红萝卜",
    "hot dog": "hotdogs;perrito caliente;cachorro-quente;ホットドッグ;热狗",
    "pizza": "pizzen;ピザ;披萨;比萨",
    "donut": "berliner;beignet;rosquilla;rosquinha;ドーナツ;甜甜圈",
    "cake": "kuchen;torte;torten;gâteau;gâteaux;pastel;tarta;bolo;ケーキ;蛋糕",
    "chair": "stuhl;stühle;sessel;chaise;silla;cadeira;椅子;いす;イス;椅",
    "couch": "sofas;canapé;sofá;ソファ;ソファー;沙发;沙發",
    "potted plant": "topfpflanze;topfpflanzen;plante en pot;planta en maceta;maceta;vaso de planta;鉢植え;"
    "観葉植物;盆栽;盆栽植物",
    "bed": "bett;betten;lit;cama;ベッド;床铺",
    "dining table": "esstisch;tisch;tische;table à manger;mesa;テーブル;食卓;机;餐桌;桌子",
    "toilet": "toilette;toiletten;klo;toilettes;inodoro;retrete;vaso sanitário;トイレ;便器;便座;马桶;馬桶",
    "tv": "fernseher;téléviseur;télévision;televisor;televisión;televisão;テレビ;电视;電視;电视机",
    "laptop": "laptops;ordinateur portable;portátil;ノートパソコン;ノートpc;笔记本电脑;筆電",
    "mouse": "computermaus;mäuse;souris;ratón;マウス;鼠标;滑鼠",
    "remote": "fernbedienung;fernbedienungen;télécommande;mando a distancia;controle remoto;リモコン;遥控器",
    "keyboard": "tastatur;tastaturen;clavier;teclado;キーボード;键盘;鍵盤",
    "cell phone": "handy;handys;mobiltelefon;portable;téléphone;téléphone portable;teléfono;móvil;celular;"
    "telemóvel;携帯電話;"
    "スマホ;スマートフォン;電話;手机;手機",
    "microwave": "mikrowelle;mikrowellen;micro-ondes;microondas;micro-ondas;電子レンジ;微波炉;微波爐",
    "oven": "backofen;öfen;ofen;horno;forno;オーブン;烤箱",
    "toaster": "grille-pain;tostadora;torradeira;トースター;烤面包机",
    "sink": "spüle;waschbecken;spülbecken;évier;lavabo;fregadero;pia;流し台;シンク;洗面台;水槽",
    "refrigerator": "kühlschrank;kühlschränke;réfrigérateur;frigo;nevera;refrigerador;frigorífico;geladeira;"
    "冷蔵庫;冰箱",
    "book": "buch;bücher;livre;libro;livro;本;ほん;书;書;书本",
    "clock": "uhr;uhren;horloge;pendule;reloj;relógio;時計;とけい;时钟;鐘;钟",
    "vase": "vasen;jarrón;florero;jarra de flores;花瓶",
    "scissors": "schere;scheren;ciseaux;tijeras;tesoura;tesouras;はさみ;ハサミ;剪刀",
    "teddy bear": "teddybär;teddybären;ours en peluche;nounours;oso de peluche;urso de pelúcia;テディベア;"
    "ぬいぐるみ;泰迪熊;玩具熊",
    "hair drier": "haartrockner;föhn;fön;sèche-cheveux;secador de pelo;secador de cabelo;ドライヤー;吹风机",
    "toothbrush": "zahnbürste;zahnbürsten;brosse à dents;cepillo de dientes;escova de dentes;歯ブラシ;牙刷",
}  # fmt: skip

# These say more than "person", as "woman" does.
PEOPLE: dict[str, str] = {
    "woman": "frau;frauen;femme;mujer;mujeres;mulher;mulheres;女性;女の人;女人;女子",
    "man": "männer;mann;homme;hombre;hombres;homem;homens;男性;男の人;男人;男子",
    "girl": "mädchen;fille;niña;menina;女の子;少女;女孩",
    "boy": "junge;jungen;garçon;niño;menino;男の子;少年;男孩",
    "child": "kinder;enfant;criança;子供;こども;子ども;孩子;儿童",
    "baby": "säugling;bébé;bebé;bebê;赤ちゃん;赤ん坊;婴儿;寶寶;宝宝",
}
